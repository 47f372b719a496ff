/* A store of images, pieces of memory, which are much like ones that came
   before: each is kept as the words in which it differs from one of these.
   Of a frame with all registers some forty bytes remain, and new memory is
   what collecting frames costs most.

   One thread.  */

#ifndef TRACEBUF_STORE_H
#define TRACEBUF_STORE_H

#include "common/types.h"

struct store;

/* Null: out of memory.  */
struct store *store_create (void);
void store_destroy (struct store *s);

/* Add an image: the N_HEAD bytes at HEAD, a multiple of 8, and the N bytes at
   BYTES.  Of like images KIND is the same.  False: out of memory.  */
MUST_USE bool store_add (struct store *s, uint32_t kind, const void *head,
                         size_t n_head, const void *bytes, size_t n);

/* How many there are.  */
size_t store_count (const struct store *s);

/* Image N, which there is, aligned to 8; zeros may be behind it.  It stays
   until another one is asked for.  Null: out of memory.  */
MUST_USE const void *store_get (struct store *s, size_t n);

#endif
