/* See image.h.  */

#define _GNU_SOURCE
#include "host/image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "channel/hub.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u
#endif

#define BASE_LOWEST 0x7e8000000000ull
#define BASE_HIGHEST 0x7ef000000000ull
#define BASE_ALIGN 0x200000ull          /* one page of page tables */
#define IMAGE_MAX_SIZE (64ul << 20)

/* The engine's file, as mapped by the server.  */
struct file
{
  const char *bytes;
  size_t size;
};

/* See image.h.  */
const char *
image_refusal_text (enum image_refusal r)
{
  static const char *const texts[] = {
#define IMAGE_REFUSAL(NAME, TEXT) [IMAGE_##NAME] = TEXT,
    IMAGE_REFUSALS (IMAGE_REFUSAL)
#undef IMAGE_REFUSAL
  };

  return texts[r];
}

static enum image_refusal
file_open (struct file *f, const char *name)
{
  struct stat st;
  int fd = open (name, O_RDONLY | O_CLOEXEC);
  enum image_refusal r = IMAGE_NO_FILE;

  if (fd < 0)
    return IMAGE_NO_FILE;
  if (fstat (fd, &st) < 0 || st.st_size < (off_t) sizeof (Elf64_Ehdr))
    goto out;
  f->size = st.st_size;
  f->bytes = mmap (NULL, f->size, PROT_READ, MAP_PRIVATE, fd, 0);
  if (f->bytes != MAP_FAILED)
    r = IMAGE_OK;
 out:
  close (fd);
  return r;
}

static const Elf64_Phdr *
segments (const struct file *f, unsigned *n)
{
  const Elf64_Ehdr *h = (const Elf64_Ehdr *) f->bytes;

  *n = h->e_phnum;
  if (memcmp (h->e_ident, ELFMAG, SELFMAG) != 0 || h->e_type != ET_DYN
      || h->e_machine != EM_X86_64 || h->e_phentsize != sizeof (Elf64_Phdr)
      || h->e_phoff > f->size
      || (f->size - h->e_phoff) / sizeof (Elf64_Phdr) < h->e_phnum)
    *n = 0;
  return (const Elf64_Phdr *) (f->bytes + h->e_phoff);
}

/* The bytes that the image of F takes in memory; 0: it makes no sense.  */
static uint64_t
extent (const struct file *f)
{
  unsigned n;
  const Elf64_Phdr *p = segments (f, &n);
  uint64_t end = 0;

  for (unsigned i = 0; i < n; i++)
    {
      if (p[i].p_type != PT_LOAD)
        continue;
      if (p[i].p_filesz > f->size
          || p[i].p_offset > f->size - p[i].p_filesz
          || p[i].p_memsz > IMAGE_MAX_SIZE || p[i].p_memsz < p[i].p_filesz
          || p[i].p_vaddr > IMAGE_MAX_SIZE - p[i].p_memsz)
        return 0;
      end = MAX (end, PAGE_UP (p[i].p_vaddr + p[i].p_memsz));
    }
  return end;
}

/* Apply the relocations of the image of SIZE bytes at AT, for BASE.  The
   linker leaves relative ones only.  */
static bool
relocate (char *at, uint64_t size, const Elf64_Phdr *dynamic, uint64_t base)
{
  uint64_t table = 0, bytes = 0;
  const Elf64_Dyn *d = (const Elf64_Dyn *) (at + dynamic->p_vaddr);
  const Elf64_Rela *rela;

  for (uint64_t i = 0; i < dynamic->p_memsz / sizeof *d; i++)
    if (d[i].d_tag == DT_RELA)
      table = d[i].d_un.d_ptr;
    else if (d[i].d_tag == DT_RELASZ)
      bytes = d[i].d_un.d_val;
  if (table > size || bytes > size - table)
    return false;
  rela = (const Elf64_Rela *) (at + table);
  for (uint64_t i = 0; i < bytes / sizeof *rela; i++)
    {
      uint64_t value = base + rela[i].r_addend;

      if (ELF64_R_TYPE (rela[i].r_info) != R_X86_64_RELATIVE
          || rela[i].r_offset > size - sizeof value)
        return false;
      memcpy (at + rela[i].r_offset, &value, sizeof value);
    }
  return true;
}

/* Lay F out and relocate it, in SIZE bytes of zeros at AT.  */
static bool
lay_out (char *at, uint64_t size, const struct file *f, uint64_t base)
{
  unsigned n;
  const Elf64_Phdr *p = segments (f, &n), *dynamic = NULL;

  for (unsigned i = 0; i < n; i++)
    if (p[i].p_type == PT_LOAD)
      memcpy (at + p[i].p_vaddr, f->bytes + p[i].p_offset, p[i].p_filesz);
    else if (p[i].p_type == PT_DYNAMIC && p[i].p_vaddr < size
             && p[i].p_memsz <= size - p[i].p_vaddr)
      dynamic = &p[i];
  return dynamic == NULL || relocate (at, size, dynamic, base);
}

static bool
write_all (int fd, const char *bytes, size_t n)
{
  while (n > 0)
    {
      ssize_t done = write (fd, bytes, n);

      if (done <= 0)
        return false;
      bytes += done;
      n -= done;
    }
  return true;
}

static int
memfd (const char *name)
{
  int fd = memfd_create (name, MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

  if (fd < 0 && errno == EINVAL)        /* before Linux 6.3 */
    fd = memfd_create (name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  return fd;
}

static uint64_t
random_base (void)
{
  uint64_t r;

  if (getrandom (&r, sizeof r, GRND_NONBLOCK) != sizeof r)
    r = (uint64_t) getpid () * 0x9e3779b97f4a7c15ull >> 16;
  return BASE_LOWEST + r % ((BASE_HIGHEST - BASE_LOWEST) / BASE_ALIGN)
                         * BASE_ALIGN;
}

static enum image_refusal
image_make (struct image *image, const struct file *f)
{
  const Elf64_Ehdr *h = (const Elf64_Ehdr *) f->bytes;
  char *copy = calloc (1, image->image_size);
  enum image_refusal r = IMAGE_NO_MEMORY;

  image->fd = memfd ("rio-engine");
  if (copy == NULL || image->fd < 0)
    goto out;
  image->base = random_base ();
  image->entry = image->base + h->e_entry;
  r = IMAGE_BAD_FILE;
  if (h->e_entry >= image->image_size
      || !lay_out (copy, image->image_size, f, image->base))
    goto out;
  r = IMAGE_NO_MEMORY;
  if (write_all (image->fd, copy, image->image_size)
      && ftruncate (image->fd, image->core_size) == 0)
    r = IMAGE_OK;
 out:
  free (copy);
  if (r != IMAGE_OK && image->fd >= 0)
    close (image->fd);
  return r;
}

/* See image.h.  */
enum image_refusal
image_load (struct image *image, const char *name, uint64_t channel_size)
{
  struct file f;
  enum image_refusal r = file_open (&f, name);

  if (r != IMAGE_OK)
    return r;
  image->image_size = extent (&f);
  image->channel_size = channel_size;
  image->core_size = image->image_size + channel_size + HUB_SIZE + PAGE_SIZE;
  r = image->image_size == 0 ? IMAGE_BAD_FILE : image_make (image, &f);
  munmap ((void *) f.bytes, f.size);
  return r;
}

/* See image.h.  */
bool
image_in_use (const struct image *image)
{
  return fcntl (image->fd, F_ADD_SEALS, F_SEAL_WRITE) < 0 && errno == EBUSY;
}

/* See image.h.  */
void
image_unload (struct image *image)
{
  close (image->fd);
  image->fd = -1;
}

/* See image.h.  */
void
image_file (char *file, size_t size)
{
  char self[PATH_MAX];
  ssize_t n = readlink ("/proc/self/exe", self, sizeof self - 1);
  char *slash;

  if (n > 0)
    {
      self[n] = 0;
      slash = strrchr (self, '/');
      if (slash != NULL
          && snprintf (file, size, "%.*s/rio-engine", (int) (slash - self),
                       self)
                 < (int) size
          && access (file, R_OK) == 0)
        return;
    }
  snprintf (file, size, "%s/rio-engine", PKGLIBEXECDIR);
}
