/* See peer.h.  */

#define _GNU_SOURCE
#include "peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_MS = 5000 };

static void
run_stub (const struct stub_options *options, const char *errors)
{
  struct target *t;
  int status;
  int fd = open (errors != NULL ? errors : "/dev/null",
                 O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0666);

  dup2 (fd, 2);
  if (target_create (&t, NULL) != TARGET_OK)
    _exit (99);
  status = stub_serve (t, options);
  target_destroy (t, true);
  exit (status);
}

void
peer_start (struct peer *p, const struct stub_options *options,
            const char *errors)
{
  int pair[2];

  if (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
    abort ();
  p->noack = false;
  p->fd = pair[0];
  p->input_first = p->input_end = 0;
  p->pid = fork ();
  if (p->pid == 0)
    {
      dup2 (pair[1], 0);
      dup2 (pair[1], 1);
      close (pair[0]);
      close (pair[1]);
      run_stub (options, errors);
    }
  close (pair[1]);
}

int
peer_port (const char *errors)
{
  struct timespec tick = { 0, 10000000 };
  char text[4096];

  for (int i = 0; i < PATIENCE_MS / 10; i++)
    {
      FILE *f = fopen (errors, "r");
      size_t n = f == NULL ? 0 : fread (text, 1, sizeof text - 1, f);
      const char *at = NULL, *next = text;
      int port;

      if (f != NULL)
        fclose (f);
      text[n] = 0;
      while ((next = strstr (next, "Listening on port ")) != NULL)
        at = next++;
      if (at != NULL && strchr (at, '\n') != NULL
          && sscanf (at, "Listening on port %d", &port) == 1)
        return port;
      nanosleep (&tick, NULL);
    }
  return 0;
}

void
peer_connect (struct peer *p, int port)
{
  struct sockaddr_in address = { .sin_family = AF_INET,
                                 .sin_port = htons (port) };

  address.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  p->noack = false;
  p->input_first = p->input_end = 0;
  p->fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect (p->fd, (struct sockaddr *) &address, sizeof address) != 0)
    perror ("connect");
}

void
peer_start_tcp (struct peer *p, const struct stub_options *options,
                const char *errors)
{
  unlink (errors);
  p->pid = fork ();
  if (p->pid == 0)
    run_stub (options, errors);
  peer_connect (p, peer_port (errors));
}

void
peer_raw (struct peer *p, const void *bytes, size_t n)
{
  const char *at = bytes;

  while (n > 0)
    {
      ssize_t done = send (p->fd, at, n, MSG_NOSIGNAL);

      if (done <= 0)
        return;
      at += done;
      n -= done;
    }
}

void
peer_send_n (struct peer *p, const void *packet, size_t n)
{
  const uint8_t *bytes = packet;
  char *frame = malloc (n + 5);
  uint8_t sum = 0;

  for (size_t i = 0; i < n; i++)
    sum += bytes[i];
  frame[0] = '$';
  memcpy (frame + 1, packet, n);
  sprintf (frame + n + 1, "#%02x", sum);
  peer_raw (p, frame, n + 4);
  free (frame);
}

void
peer_send (struct peer *p, const char *packet)
{
  peer_send_n (p, packet, strlen (packet));
}

int
peer_byte (struct peer *p, int timeout_ms)
{
  struct pollfd fd = { p->fd, POLLIN, 0 };
  ssize_t n;

  if (p->input_first == p->input_end)
    {
      if (poll (&fd, 1, timeout_ms) <= 0)
        return -2;
      n = read (p->fd, p->input, sizeof p->input);
      if (n <= 0)
        return -1;
      p->input_first = 0;
      p->input_end = n;
    }
  return p->input[p->input_first++];
}

/* Take one byte of an answer, undoing run lengths.  */
static void
take (struct peer *p, uint8_t c, bool *run)
{
  if (*run)
    {
      uint8_t last = p->answer[p->length - 1];

      for (int i = c - 29; i > 0; i--)
        p->answer[p->length++] = last;
      *run = false;
    }
  else if (c == '*')
    *run = true;
  else
    p->answer[p->length++] = c;
}

const char *
peer_wait (struct peer *p, int timeout_ms)
{
  bool run = false;
  int c;

  p->length = 0;
  do
    c = peer_byte (p, timeout_ms);
  while (c >= 0 && c != '$');
  while (c >= 0 && (c = peer_byte (p, timeout_ms)) >= 0 && c != '#'
         && p->length < sizeof p->answer - 200)
    take (p, c, &run);
  if (c >= 0)
    {
      peer_byte (p, timeout_ms);
      peer_byte (p, timeout_ms);
      if (!p->noack)
        peer_raw (p, "+", 1);
    }
  p->answer[p->length] = 0;
  if (c < 0)
    return c == -1 ? "(closed)" : "(silence)";
  return p->answer;
}

const char *
peer_ask (struct peer *p, const char *packet)
{
  peer_send (p, packet);
  return peer_wait (p, PATIENCE_MS);
}

const char *
peer_monitor (struct peer *p, const char *command)
{
  static char text[1 << 17];
  char packet[1024] = "qRcmd,";
  size_t length = 0, at = strlen (packet);
  const char *answer;

  for (; *command != 0; command++)
    at += sprintf (packet + at, "%02x", (uint8_t) *command);
  answer = peer_ask (p, packet);
  while (answer[0] == 'O' && answer[1] != 'K')
    {
      unsigned c;

      for (answer++; sscanf (answer, "%2x", &c) == 1; answer += 2)
        text[length++] = c;
      answer = peer_wait (p, PATIENCE_MS);
    }
  text[length] = 0;
  return text;
}

int
peer_end (struct peer *p)
{
  struct timespec tick = { 0, 10000000 };
  int status;

  close (p->fd);
  for (int i = 0; i < PATIENCE_MS / 10; i++)
    {
      if (waitpid (p->pid, &status, WNOHANG) == p->pid)
        return WIFEXITED (status) ? WEXITSTATUS (status) : -1;
      nanosleep (&tick, NULL);
    }
  kill (p->pid, SIGKILL);
  waitpid (p->pid, &status, 0);
  return -2;
}
