/* What would be run next: the program, its arguments, environment, folder and
   the settings that GDB can change between runs.  */

#ifndef GDBSTUB_LAUNCH_H
#define GDBSTUB_LAUNCH_H

#include "host/target.h"

struct stub_options;

struct launch
{
  char **argv;                  /* NULL-terminated, owned; NULL: none yet */
  char **env;                   /* likewise; starts as the server's own */
  char *cwd;                    /* owned; NULL: the server's */
  bool startup_with_shell, disable_randomization;
};

/* Start from what the command line says.  */
void launch_init (struct launch *p, const struct stub_options *options);
void launch_fini (struct launch *p);

/* Make a copy of the N words at ARGV the program to run.  */
void launch_set (struct launch *p, char *const *argv, size_t n);

/* Environment: as at first; set ASSIGNMENT (NAME=VALUE) in it; take NAME out.
   launch_env_set returns false when ASSIGNMENT is none.  */
void launch_env_reset (struct launch *p);
MUST_USE bool launch_env_set (struct launch *p, const char *assignment);
void launch_env_unset (struct launch *p, const char *name);

/* Work in folder CWD, or in the server's own when that is NULL or "".  A `~'
   or `~USER' at its beginning is a home.  */
void launch_set_cwd (struct launch *p, const char *cwd);

/* Run it under T, with the streams that OPTIONS ask for.  STDIO: the server's
   own are taken by GDB, so the default is /dev/null and standard error.  On
   failure a message has been printed.  */
MUST_USE bool launch_start (struct launch *p, struct target *t,
                             const struct stub_options *options, bool stdio,
                             int *pid);

/* Give the terminal at standard error, if it is one, to process group GROUP,
   so that it may read from it.  */
void launch_give_terminal (int group);

#endif
