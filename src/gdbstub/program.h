/* What would be run next: the program, its arguments, environment, folder and
   the settings that GDB can change between runs.  */

#ifndef GDBSTUB_PROGRAM_H
#define GDBSTUB_PROGRAM_H

#include "host/target.h"

struct stub_options;

struct program
{
  char **argv;                  /* NULL-terminated, owned; NULL: none yet */
  char **env;                   /* likewise; starts as the server's own */
  char *cwd;                    /* owned; NULL: the server's */
  bool startup_with_shell, disable_randomization;
};

/* Start from what the command line says.  */
void program_init (struct program *p, const struct stub_options *options);
void program_fini (struct program *p);

/* Make a copy of the N words at ARGV the program to run.  */
void program_set (struct program *p, char *const *argv, size_t n);

/* Environment: as at first; set ASSIGNMENT (NAME=VALUE) in it; take NAME out.
   program_env_set returns false when ASSIGNMENT is none.  */
void program_env_reset (struct program *p);
MUST_USE bool program_env_set (struct program *p, const char *assignment);
void program_env_unset (struct program *p, const char *name);

/* Work in folder CWD, or in the server's own when that is NULL or "".  */
void program_set_cwd (struct program *p, const char *cwd);

/* Run it under T, with the streams that OPTIONS ask for.  STDIO: the server's
   own are taken by GDB, so the default is /dev/null and standard error.  On
   failure a message has been printed.  */
MUST_USE bool program_start (struct program *p, struct target *t,
                             const struct stub_options *options, bool stdio,
                             int *pid);

/* Give the terminal at standard error, if it is one, to process group GROUP,
   so that it may read from it.  */
void program_give_terminal (int group);

#endif
