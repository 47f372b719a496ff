/* The engine's image as the server keeps it: loaded from its file, relocated
   once for an address chosen at random, in a memfd that every process of the
   server maps.

   The memfd has the layout of the core region (struct channel_birth): the
   image, room for the channel and the hub, and the tether page.  Nothing of
   it is ever mapped shared and writable by the server, so that the tether can
   tell whether a process still lives (channel/hub.h).  */

#ifndef HOST_IMAGE_H
#define HOST_IMAGE_H

#include "common/types.h"

#define IMAGE_REFUSALS(X)                                                     \
  X (OK, "done")                                                              \
  X (NO_FILE, "the engine's image cannot be read")                            \
  X (BAD_FILE, "the engine's image is damaged")                               \
  X (NO_MEMORY, "there is no memory for the engine's image")

enum image_refusal
{
#define IMAGE_REFUSAL(NAME, TEXT) IMAGE_##NAME,
  IMAGE_REFUSALS (IMAGE_REFUSAL)
#undef IMAGE_REFUSAL
};

struct image
{
  int fd;                       /* the memfd */
  uint64_t base;                /* where it has to be mapped */
  uint64_t entry;               /* engine_start, as an address */
  uint64_t image_size;          /* bytes, whole pages */
  uint64_t channel_size;
  uint64_t core_size;           /* all of the core region */
};

const char *image_refusal_text (enum image_refusal r);

/* Load the image from FILE into *IMAGE, with room for a channel of
   CHANNEL_SIZE bytes behind it, at a random base below the lowest address
   where the kernel puts mappings.  */
MUST_USE enum image_refusal image_load (struct image *image, const char *file,
                                        uint64_t channel_size);

/* Whether any process has IMAGE mapped.  When none has, none can any more:
   the answer false is final.  */
bool image_in_use (const struct image *image);

void image_unload (struct image *image);

/* Where the engine's image is: where RIO_ENGINE of the environment says, for
   tests; beside this program in a build tree; else where it was installed.
   The name goes to FILE (SIZE bytes).  */
void image_file (char *file, size_t size);

#endif
