/* The words that every room uses.

   Addresses of the two worlds are of types that do not mix: an application
   address is an integer, which nobody can dereference by accident; an address
   in a code cache is a pointer.  Passing one for the other does not compile
   (-Werror=int-conversion).

   Freestanding: standard headers that need no libc only.  */

#ifndef COMMON_TYPES_H
#define COMMON_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The address of an instruction of the application, and of any byte of it.  */
typedef uint64_t app_pc;
typedef uint64_t app_addr;

/* The address of an instruction in a code cache, as executed.  */
typedef const uint8_t *cache_pc;

#define PAGE_SIZE 4096ul
#define PAGE_DOWN(A) ((A) & ~(PAGE_SIZE - 1))
#define PAGE_UP(A) (((A) + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1))

#define ARRAY_SIZE(A) (sizeof (A) / sizeof *(A))
#define ALIGN_UP(N, TO) (((N) + (TO)-1) & ~((TO)-1ul))
#define MUST_USE __attribute__ ((warn_unused_result))
#define NORETURN __attribute__ ((noreturn))
#define PRINTF_LIKE(F, A) __attribute__ ((format (__printf__, F, A)))

#define MIN(A, B) ((A) < (B) ? (A) : (B))
#define MAX(A, B) ((A) > (B) ? (A) : (B))

#endif
