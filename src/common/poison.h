/* Forced into every file of the engine's wing by -include: names of libc that
   must not be used in an image that has none.

   Most of these would be caught as undefined symbols by
   maint/check-undefined; poisoned, they are errors at their line.  Words that
   are good names for fields and locals of ours (exit, read, free, signal) are
   left to that check.  */

#ifndef COMMON_POISON_H
#define COMMON_POISON_H

/* Memory comes from common's allocators, each call naming its account.  */
#pragma GCC poison malloc calloc realloc reallocarray posix_memalign
#pragma GCC poison aligned_alloc memalign valloc alloca strdup strndup

/* No stdio, no locale.  */
#pragma GCC poison printf fprintf dprintf sprintf snprintf vprintf vfprintf
#pragma GCC poison vsprintf vsnprintf asprintf puts fputs putchar perror
#pragma GCC poison fopen fclose fread fwrite fflush stdin stdout stderr FILE
#pragma GCC poison strtol strtoul strtoll strtoull atoi atol strtok strerror

/* Unbounded copies.  */
#pragma GCC poison strcpy strcat stpcpy gets

/* The kernel answers with a negative number; a bug is a vm_assert.  */
#pragma GCC poison errno assert abort atexit __assert_fail

/* Threads, jumps and descriptors of libc's.  */
#pragma GCC poison pthread_create pthread_self pthread_mutex_lock
#pragma GCC poison setjmp longjmp sigsetjmp siglongjmp __errno_location
#pragma GCC poison dlopen dlsym getenv system popen

#endif
