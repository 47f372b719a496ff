/* Streams: hits of a place, recorded by the engine with no stop (target.h),
   become lines here, for GDB's console while the program runs, or for a file.

   A stream has a number, one place or several, and values, each an expression
   with a kind, that tells how to show it:

     d u x   a number, signed, unsigned, or in hexadecimal
     c b     a character, a truth value
     f F     the bits of a float, of a double
     s       the address of a string, whose bytes are in the frame's memory
     eN=NAME,...   an enumeration

   A stream that has its number of hits is quiet; the engine leaves out what is
   beyond.  */

#ifndef GDBSTUB_STREAMS_H
#define GDBSTUB_STREAMS_H

#include "gdbstub/reply.h"
#include "host/target.h"

#define STREAM_MAX_VALUES 32

struct stream;

struct streams
{
  struct stream *first;
  struct reply text;            /* for the console */
  uint64_t lost;                /* records that the user has been told of */
};

/* A value of a stream: NAME and KIND are copied.  */
struct stream_value
{
  const char *name, *kind;
  struct target_bytecode code;  /* sets variable TARGET_STREAM_VALUE + its
                                   index */
};

struct stream_order
{
  uint32_t number;              /* below TARGET_STREAM */
  app_addr addr;
  uint64_t limit;               /* hits; 0: no end */
  const char *file;             /* which there is already, its name ending in
                                   .csv for such a one; null: the console */
  const char *place;            /* as people see it */
  bool bare;                    /* all values in one column, with names */
  const struct target_bytecode *condition;      /* or null */
  const struct stream_value *values;
  size_t n_values;
};

/* Record at one more place of O's number.  Returns NULL, or why not.  */
MUST_USE const char *streams_add (struct streams *l, struct target *t,
                                  const struct stream_order *o);

/* Number N is not recorded any more; its count of hits is kept.  Nothing for a
   number that there is not.  */
MUST_USE bool streams_end (struct streams *l, struct target *t, uint32_t n);

/* Forget it altogether.  */
MUST_USE bool streams_forget (struct streams *l, struct target *t, uint32_t n);

/* The hits that number N has shown.  */
uint64_t streams_hits (const struct streams *l, uint32_t n);

/* Take the record of SIZE BYTES, if it is a stream's.  */
bool streams_take (struct streams *l, const void *bytes, size_t size);

/* Tell of records that were lost.  */
void streams_tell_lost (struct streams *l, struct target *t);

/* Files have what was written to them.  */
void streams_flush (struct streams *l);

void streams_fini (struct streams *l);

#endif
