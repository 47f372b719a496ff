/* The application's instructions beside the code that runs for them.

   The engine says what it has (cache/inspect.h, inspect_code); Capstone
   disassembles both sides here.  The engine's text is not believed: what has
   not the form that it should have is left out.  */

#ifndef HOST_DISASSEMBLE_H
#define HOST_DISASSEMBLE_H

#include "common/types.h"

/* Where the application's bytes come from, and where lines go.  */
struct disassemble_output
{
  size_t (*read) (void *source, app_addr at, void *buffer, size_t length);
  void *source;
  void (*emit) (void *data, const char *text);
  void *data;
};

/* Whether this server was built with Capstone.  */
MUST_USE bool disassemble_available (void);

/* Write what TEXT, the answer to CHANNEL_ASK_CODE, describes, two columns a
   fragment.  TEXT is changed.  */
void disassemble_fragments (char *text, const struct disassemble_output *o);

#endif
