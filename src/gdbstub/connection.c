/* See connection.h.

   Standard input and output are moved to descriptors of their own, so that
   the program and stray output cannot get at them: 0 becomes /dev/null and 1
   becomes standard error.  */

#define _GNU_SOURCE
#include "gdbstub/connection.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* Descriptors handed out below this would be inherited as a standard one.  */
enum { FIRST_FD = 10 };

static bool
complain (const char *what)
{
  fprintf (stderr, "%s: %s.\nExiting\n", what, strerror (errno));
  return false;
}

static void
set_nonblocking (int fd)
{
  fcntl (fd, F_SETFL, fcntl (fd, F_GETFL) | O_NONBLOCK);
}

static bool
take_stdio (struct connection *c)
{
  int null = open ("/dev/null", O_RDWR | O_CLOEXEC);

  c->in = fcntl (0, F_DUPFD_CLOEXEC, FIRST_FD);
  c->out = fcntl (1, F_DUPFD_CLOEXEC, FIRST_FD);
  if (null < 0 || c->in < 0 || c->out < 0)
    return complain ("Can't take standard input and output");
  dup2 (null, 0);
  dup2 (2, 1);
  close (null);
  return true;
}

/* Bind a socket to NAME, HOST:PORT or [HOST]:PORT.  */
static bool
prepare_tcp (struct connection *c)
{
  struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
  struct addrinfo *list;
  char *host = strdup (c->name);
  char *port = strrchr (host, ':');
  char *name = host;
  int error, one = 1;

  *port++ = 0;
  if (name[0] == '[' && port[-2] == ']')
    {
      port[-2] = 0;
      name++;
    }
  error = getaddrinfo (*name ? name : "127.0.0.1", port, &hints, &list);
  free (host);
  if (error != 0)
    {
      fprintf (stderr, "%s: cannot resolve name: %s\nExiting\n", c->name,
               gai_strerror (error));
      return false;
    }
  c->listener = socket (list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt (c->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  error = bind (c->listener, list->ai_addr, list->ai_addrlen);
  freeaddrinfo (list);
  if (error != 0)
    return complain ("Can't bind address");
  if (listen (c->listener, 1) != 0)
    return complain ("Can't listen on socket");
  set_nonblocking (c->listener);
  return true;
}

/* See connection.h.  */
bool
connection_prepare (struct connection *c, const char *name)
{
  c->name = name;
  c->listener = c->in = c->out = -1;
  if (*name == 0 || strcmp (name, "-") == 0 || strcmp (name, "stdio") == 0)
    {
      if (*name != 0)
        fputs ("stdin/stdout redirected\n", stderr);
      c->kind = CONNECTION_STDIO;
      return take_stdio (c);
    }
  if (strchr (name, ':') != NULL)
    {
      c->kind = CONNECTION_TCP;
      return prepare_tcp (c);
    }
  c->kind = CONNECTION_TTY;
  return true;
}

/* A line without echo, signals or translation.  */
static void
make_raw (int fd)
{
  struct termios t;

  if (tcgetattr (fd, &t) != 0)
    return;
  t.c_iflag = 0;
  t.c_oflag = 0;
  t.c_lflag = 0;
  t.c_cflag &= ~(CSIZE | PARENB);
  t.c_cflag |= CLOCAL | CS8;
  t.c_cc[VMIN] = 1;
  t.c_cc[VTIME] = 0;
  tcsetattr (fd, TCSANOW, &t);
}

static bool
open_tty (struct connection *c)
{
  struct stat st;

  errno = EINVAL;
  if (stat (c->name, &st) == 0
      && (S_ISCHR (st.st_mode) || S_ISFIFO (st.st_mode)))
    c->in = open (c->name, O_RDWR | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (c->in < 0)
    return complain ("Could not open remote device");
  make_raw (c->in);
  c->out = c->in;
  return true;
}

static bool
announce_port (struct connection *c)
{
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  char port[NI_MAXSERV];

  if (getsockname (c->listener, (struct sockaddr *) &address, &length) != 0
      || getnameinfo ((struct sockaddr *) &address, length, NULL, 0, port,
                      sizeof port, NI_NUMERICSERV) != 0)
    return complain ("Can't determine port");
  fprintf (stderr, "Listening on port %s\n", port);
  return true;
}

/* See connection.h.  */
bool
connection_listen (struct connection *c)
{
  switch (c->kind)
    {
    case CONNECTION_STDIO:
      fprintf (stderr, "Remote debugging using stdio\n");
      break;
    case CONNECTION_TTY:
      if (!open_tty (c))
        return false;
      fprintf (stderr, "Remote debugging using %s\n", c->name);
      break;
    case CONNECTION_TCP:
      return announce_port (c);
    }
  set_nonblocking (c->in);
  set_nonblocking (c->out);
  return true;
}

/* See connection.h.  */
bool
connection_accept (struct connection *c)
{
  struct sockaddr_storage address;
  socklen_t length = sizeof address;
  char host[NI_MAXHOST], port[NI_MAXSERV];
  int one = 1;
  int fd = accept4 (c->listener, (struct sockaddr *) &address, &length,
                    SOCK_CLOEXEC | SOCK_NONBLOCK);

  if (fd < 0)
    return false;
  setsockopt (fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  c->in = c->out = fd;
  if (getnameinfo ((struct sockaddr *) &address, length, host, sizeof host,
                   port, sizeof port, NI_NUMERICHOST | NI_NUMERICSERV) == 0)
    fprintf (stderr, "Remote debugging from host %s, port %s\n", host, port);
  return true;
}

/* See connection.h.  */
bool
connection_is_open (const struct connection *c)
{
  return c->in >= 0;
}

/* See connection.h.  */
void
connection_close (struct connection *c)
{
  if (c->in >= 0)
    close (c->in);
  if (c->out >= 0 && c->out != c->in)
    close (c->out);
  c->in = c->out = -1;
}

/* See connection.h.  */
void
connection_fini (struct connection *c)
{
  connection_close (c);
  if (c->listener >= 0)
    close (c->listener);
  c->listener = -1;
}

/* See connection.h.  */
long
connection_read (struct connection *c, void *buffer, size_t size)
{
  ssize_t n = read (c->in, buffer, size);

  if (n > 0)
    return n;
  if (n < 0 && (errno == EAGAIN || errno == EINTR))
    return 0;
  return -1;
}

/* See connection.h.  */
long
connection_write (struct connection *c, const void *buffer, size_t n)
{
  ssize_t done = write (c->out, buffer, n);

  if (done >= 0)
    return done;
  return errno == EAGAIN || errno == EINTR ? 0 : -1;
}
