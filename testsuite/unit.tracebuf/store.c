/* The store: images that are much like each other come back as they were, in
   any order, while more are added; and take little memory.  */

#include <string.h>
#include <sys/resource.h>

#include "lib/check.h"
#include "tracebuf/store.h"

enum
{
  N = 3000,
  N_KINDS = 70,                 /* more than have a base of their own */
  MOST = 6000,                  /* bytes; a few images are longer */
  LONGEST = 400000,
  HEAD = 24
};

static uint64_t seed;

static uint64_t
rnd (void)
{
  seed = seed * 6364136223846793005 + 1442695040888963407;
  return seed >> 20;
}

struct image
{
  uint8_t *bytes;
  size_t size;
};

static struct image images[N];

/* Image N: LIKE, the last one of its kind, with some bytes changed, at times
   of another size.  */
static void
make (size_t n, struct image *like)
{
  struct image *i = &images[n];

  i->size = HEAD + (rnd () % 4 != 0 && like->size != 0
                      ? like->size - HEAD
                      : rnd () % (rnd () % 100 == 0 ? LONGEST : MOST));
  i->bytes = calloc (1, i->size);
  if (like->size != 0)
    memcpy (i->bytes, like->bytes,
            like->size < i->size ? like->size : i->size);
  for (uint64_t k = rnd () % 20; k > 0; k--)
    i->bytes[rnd () % i->size] = (uint8_t) rnd ();
  *like = *i;
}

static bool
is_there (struct store *s, size_t n)
{
  const void *got = store_get (s, n);

  return got != NULL && memcmp (got, images[n].bytes, images[n].size) == 0;
}

static void
test_images (void)
{
  struct store *s = store_create ();
  struct image last[N_KINDS] = { { NULL, 0 } };
  unsigned wrong = 0;

  for (size_t n = 0; n < N; n++)
    {
      uint32_t kind = (uint32_t) (rnd () % N_KINDS);

      make (n, &last[kind]);
      if (!store_add (s, kind, images[n].bytes, HEAD, images[n].bytes + HEAD,
                      images[n].size - HEAD))
        check (false, "out of memory");
      wrong += !is_there (s, rnd () % (n + 1));
    }
  check (wrong == 0, "images are there while others are added");
  for (size_t n = 0; n < N; n++)
    wrong += !is_there (s, n);
  for (size_t n = 0; n < N; n++)
    wrong += !is_there (s, rnd () % N);
  check (wrong == 0, "images are there at the end, in any order");
  check (store_count (s) == N, "they are counted");
  store_destroy (s);
}

static long
peak_kib (void)
{
  struct rusage r;

  getrusage (RUSAGE_SELF, &r);
  return r.ru_maxrss;
}

/* A hundred million bytes of images that differ in two words.  */
static void
test_memory (void)
{
  enum { SIZE = 1000, COUNT = 100000 };
  struct store *s = store_create ();
  uint64_t words[SIZE / 8];
  bool added = true;
  long before = peak_kib ();

  for (size_t i = 0; i < SIZE / 8; i++)
    words[i] = rnd ();
  for (size_t n = 0; n < COUNT; n++)
    {
      words[1] = n;
      words[SIZE / 16] = rnd ();
      added = store_add (s, 1, words, 8, words + 1, SIZE - 8) && added;
    }
  check (added && peak_kib () - before < COUNT * (SIZE / 1024.0) / 4,
         "what is alike is kept once");
  store_destroy (s);
}

int
main (void)
{
  seed = check_seed ();
  test_memory ();
  test_images ();
  return check_done ();
}
