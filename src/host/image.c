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

/* The engine's memory grows upwards from here, to 64 GiB, and shall end below
   the lowest place from which the kernel puts mappings downwards: some
   0x7efb00000000 with 28 random bits (arch/x86/mm/mmap.c).  */
#define BASE_LOWEST 0x7e8000000000ull
#define BASE_HIGHEST 0x7ee000000000ull
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

/* A copy of what the file has for the one segment that can be written to, and
   that alone has places to be relocated.  */
struct data
{
  char *bytes;
  uint64_t at, size;            /* in the image */
};

/* The 8 bytes at ADDR of the image, in D; null: they are not there.  */
static void *
data_at (const struct data *d, uint64_t addr, size_t size)
{
  if (addr < d->at || addr - d->at > d->size
      || d->size - (addr - d->at) < size)
    return NULL;
  return d->bytes + (addr - d->at);
}

/* Where the relocations of F are, by its dynamic section, which is in D, and
   how many bytes of them.  */
static bool
find_relocations (const struct file *f, const struct data *d, uint64_t *table,
                  uint64_t *bytes)
{
  unsigned n;
  const Elf64_Phdr *p = segments (f, &n);
  const Elf64_Dyn *dynamic = NULL;
  uint64_t entries = 0;

  for (unsigned i = 0; i < n; i++)
    if (p[i].p_type == PT_DYNAMIC)
      {
        dynamic = data_at (d, p[i].p_vaddr, p[i].p_memsz);
        entries = p[i].p_memsz / sizeof *dynamic;
      }
  *table = *bytes = 0;
  for (uint64_t i = 0; dynamic != NULL && i < entries; i++)
    if (dynamic[i].d_tag == DT_RELA)
      *table = dynamic[i].d_un.d_ptr;
    else if (dynamic[i].d_tag == DT_RELASZ)
      *bytes = dynamic[i].d_un.d_val;
  /* The table is in the first segment, which begins at 0 in both.  */
  return *table <= f->size && *bytes <= f->size - *table;
}

/* Relocate D, of the image of F, for BASE.  The linker leaves relative
   relocations only.  */
static bool
relocate (const struct file *f, const struct data *d, uint64_t base)
{
  uint64_t table, bytes;
  const Elf64_Rela *rela;

  if (!find_relocations (f, d, &table, &bytes))
    return false;
  rela = (const Elf64_Rela *) (f->bytes + table);
  for (uint64_t i = 0; i < bytes / sizeof *rela; i++)
    {
      uint64_t value = base + rela[i].r_addend;
      void *at = data_at (d, rela[i].r_offset, sizeof value);

      if (ELF64_R_TYPE (rela[i].r_info) != R_X86_64_RELATIVE || at == NULL)
        return false;
      memcpy (at, &value, sizeof value);
    }
  return true;
}

static bool
write_all (int fd, const char *bytes, size_t n, uint64_t at)
{
  while (n > 0)
    {
      ssize_t done = pwrite (fd, bytes, n, at);

      if (done <= 0)
        return false;
      bytes += done;
      at += done;
      n -= done;
    }
  return true;
}

/* Write the segment P of F, relocated for BASE, to FD.  */
static enum image_refusal
write_data (int fd, const struct file *f, const Elf64_Phdr *p, uint64_t base)
{
  struct data d = { malloc (p->p_filesz), p->p_vaddr, p->p_filesz };
  enum image_refusal r = IMAGE_NO_MEMORY;

  if (d.bytes == NULL)
    return r;
  memcpy (d.bytes, f->bytes + p->p_offset, d.size);
  if (!relocate (f, &d, base))
    r = IMAGE_BAD_FILE;
  else if (write_all (fd, d.bytes, d.size, d.at))
    r = IMAGE_OK;
  free (d.bytes);
  return r;
}

/* Write F to FD as it is to be in memory at BASE.  */
static enum image_refusal
lay_out (int fd, const struct file *f, uint64_t base)
{
  unsigned n;
  const Elf64_Phdr *p = segments (f, &n);

  for (unsigned i = 0; i < n; i++)
    {
      enum image_refusal r = IMAGE_OK;

      if (p[i].p_type != PT_LOAD)
        continue;
      if ((p[i].p_flags & PF_W) != 0)
        r = write_data (fd, f, &p[i], base);
      else if (!write_all (fd, f->bytes + p[i].p_offset, p[i].p_filesz,
                           p[i].p_vaddr))
        r = IMAGE_NO_MEMORY;
      if (r != IMAGE_OK)
        return r;
    }
  return IMAGE_OK;
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
  enum image_refusal r;

  if (h->e_entry >= image->image_size)
    return IMAGE_BAD_FILE;
  image->fd = memfd ("rio-engine");
  if (image->fd < 0)
    return IMAGE_NO_MEMORY;
  image->base = random_base ();
  image->entry = image->base + h->e_entry;
  r = IMAGE_NO_MEMORY;
  if (ftruncate (image->fd, image->core_size) == 0)
    r = lay_out (image->fd, f, image->base);
  if (r != IMAGE_OK)
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

/* Write to FILE the name of the image in PLACE, seen from the folder of this
   program, the first LENGTH bytes of SELF; return whether it can be read.  */
static bool
found_beside (char *file, size_t size, const char *self, int length,
              const char *place)
{
  return snprintf (file, size, "%.*s/%s/rio-engine", length, self, place)
           < (int) size
         && access (file, R_OK) == 0;
}

/* See image.h.  */
void
image_file (char *file, size_t size)
{
  char self[PATH_MAX];
  ssize_t n = readlink ("/proc/self/exe", self, sizeof self - 1);
  const char *given = getenv ("RIO_ENGINE");
  char *slash;

  if (given != NULL && *given != 0)
    {
      snprintf (file, size, "%s", given);
      return;
    }
  self[n > 0 ? n : 0] = 0;
  slash = strrchr (self, '/');
  if (slash != NULL
      && (found_beside (file, size, self, slash - self, ".")
          || found_beside (file, size, self, slash - self, "../libexec/rio")))
    return;
  snprintf (file, size, "%s/rio-engine", PKGLIBEXECDIR);
}
