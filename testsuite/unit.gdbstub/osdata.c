/* The tables of `info os': each has, somewhere, what this program knows of
   itself and of the system.  */

#include <arpa/inet.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/check.h"
#include "gdbstub/osdata.h"

static void
has (const char *type, const char *format, int number)
{
  struct reply doc = { NULL, 0, 0 };
  char text[300];

  snprintf (text, sizeof text, format, number);
  osdata_read (type, &doc);
  check (strstr (doc.data, text) != NULL, "%s has %s", type, text);
  check (strcmp (doc.data + doc.length - 10, "</osdata>\n") == 0, "%s ends",
         type);
  reply_fini (&doc);
}

/* A socket that listens; its port.  */
static int
listening (void)
{
  struct sockaddr_in in = { .sin_family = AF_INET };
  socklen_t n = sizeof in;
  int fd = socket (AF_INET, SOCK_STREAM, 0);

  in.sin_addr.s_addr = htonl (INADDR_LOOPBACK);
  if (bind (fd, (struct sockaddr *) &in, sizeof in) != 0
      || listen (fd, 1) != 0
      || getsockname (fd, (struct sockaddr *) &in, &n) != 0)
    return -1;
  return ntohs (in.sin_port);
}

static void
test_ipc (void)
{
  int shm = shmget (IPC_PRIVATE, 4096, 0640);
  int sem = semget (IPC_PRIVATE, 3, 0600);
  int msg = msgget (IPC_PRIVATE, 0600);

  has ("shm", "<column name=\"shmid\">%d</column><column name=\"perm\">640"
              "</column><column name=\"size\">4096</column>"
              "<column name=\"creator command\">osdata</column>", shm);
  has ("semaphores", "<column name=\"semid\">%d</column>"
                     "<column name=\"perm\">600</column>"
                     "<column name=\"num semaphores\">3</column>", sem);
  has ("msg", "<column name=\"msqid\">%d</column>", msg);
  shmctl (shm, IPC_RMID, NULL);
  semctl (sem, 0, IPC_RMID);
  msgctl (msg, IPC_RMID, NULL);
}

static void
test_xml (void)
{
  struct reply out = { NULL, 0, 0 };

  reply_xml (&out, "a<b>&\"'\001\t\303\244\377\302");
  check (strcmp (out.data, "a&lt;b&gt;&amp;&quot;&apos;?\t\303\244??") == 0,
         "what is no text in XML: %s", out.data);
  reply_fini (&out);
}

int
main (void)
{
  struct reply doc = { NULL, 0, 0 };

  has ("", "<column name=\"Type\">processes</column>", 0);
  has ("types", "<column name=\"Title\">Threads</column>", 0);
  has ("cpus", "<column name=\"processor\">%d</column>", 0);
  has ("modules", "<osdata type=\"modules\">", 0);
  has ("processes", "<column name=\"pid\">%d</column><column name=\"user\">",
       getpid ());
  has ("procgroups", "<column name=\"pid\">%d</column>"
                     "<column name=\"command line\">", getpid ());
  has ("threads", "<column name=\"command\">osdata</column>"
                  "<column name=\"tid\">%d</column><column name=\"core\">",
       getpid ());
  has ("files", "<column name=\"pid\">%d</column>"
                "<column name=\"command\">osdata</column>"
                "<column name=\"file descriptor\">0</column>", getpid ());
  has ("sockets", "<column name=\"local address\">127.0.0.1</column>"
                  "<column name=\"local port\">%d</column>"
                  "<column name=\"remote address\">0.0.0.0</column>"
                  "<column name=\"remote port\">0</column>"
                  "<column name=\"state\">LISTEN</column>", listening ());
  test_ipc ();
  test_xml ();
  osdata_read ("nonsense", &doc);
  check (doc.length == 0, "no table of another name");
  return check_done ();
}
