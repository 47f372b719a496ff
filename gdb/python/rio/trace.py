"""rio trace: conditional tracing in one line."""

import atexit
import os
import tempfile

import gdb

from . import clauses, syscalls
from .records import Records, holds, limit_of, show_file, show_value
from .remote import fail, place
from .streams import STREAMS, Stream

KEYWORDS = ("if", "collect", "limit", "to")

# The files of what tracepoints have kept, by their number.
kept = {}


def arguments_of(frame):
    """The names of the arguments of FRAME's function."""
    try:
        return arguments_in(frame.block())
    except RuntimeError:
        return []


def arguments_at(address):
    """The same of the function that has ADDRESS."""
    return arguments_in(gdb.block_for_pc(address))


def arguments_in(block):
    """The same of the function that BLOCK is of."""
    if block is None:
        return []
    while block.function is None and block.superblock is not None:
        block = block.superblock
    return [s.name for s in block if s.is_argument]


class Tracepoint(gdb.Breakpoint):
    """A breakpoint that never stops.  The server records its hits while the
    program runs, if it can: then its condition is never true.  If not, GDB
    does, and the program stops for a moment at each."""

    def __init__(self, location, parts, keep):
        self.expressions = clauses.commas(parts.get("collect", ""))
        self.parts = parts
        self.columns = ["hit", "thread", "place"]
        self.columns += self.expressions or ["arguments"]
        self.records = None
        self.path = parts.get("to")
        if keep:
            self.path = kept_file()
        limit = limit_of(parts)
        super().__init__(location)
        self.stream = Stream(location, self.expressions,
                             arguments_at, parts.get("if"), limit,
                             os.path.abspath(self.path) if self.path else None)
        if self.pending or not is_rio():
            self.leave_to_gdb(None)
            return
        if self.path:
            Records(self.columns, self.path).close()
        self.condition = "0"
        STREAMS.add(self)

    def leave_to_gdb(self, why):
        """The server cannot record it, for WHY."""
        if why is not None:
            gdb.write("rio: tracepoint %d stops the program for a moment at "
                      "each hit: %s.\n" % (self.number, why))
        self.records = Records(self.columns, self.path, self.stream.limit)
        try:
            self.condition = self.parts.get("if")
        except gdb.error:
            self.delete()
            raise

    def values(self, frame):
        """What is to be recorded, with its name."""
        names = self.expressions or arguments_of(frame)
        return [(name, show_value(name)) for name in names]

    def stop(self):
        if self.records is None or not holds(self.condition):
            return False
        frame = gdb.newest_frame()
        thread = gdb.selected_thread()
        values = self.values(frame)
        told = ", ".join("%s = %s" % v for v in values)
        row = [self.records.count + 1, thread.num, place(frame.pc())]
        text = "%d: thread %d, %s%s" % (row[0], row[1], row[2],
                                        ": " + told if told else "")
        row += [v for _, v in values] if self.expressions else [told]
        if not self.records.add(row, text):
            self.enabled = False
        return False


def is_rio():
    """Whether a server of ours is at the other end."""
    try:
        text = gdb.execute("monitor help", to_string=True)
    except gdb.error:
        return False
    return "trace add" in text


def kept_file():
    """A new file for what is kept, gone when GDB is."""
    handle, name = tempfile.mkstemp(prefix="rio-trace-", suffix=".csv")
    os.close(handle)
    atexit.register(os.unlink, name)
    return name


def show(argument):
    """rio trace show ARGUMENT."""
    if not kept:
        fail("nothing was kept: begin with `rio trace -keep'")
    number = argument.strip() or str(max(kept))
    if not number.isdigit() or int(number) not in kept:
        fail("`%s' is no tracepoint that keeps what it records" % number)
    show_file(kept[int(number)])


def set_point(argument):
    """rio trace ARGUMENT, where ARGUMENT begins with no word of our own."""
    keep = argument.startswith("-keep ")
    if keep:
        argument = argument[len("-keep "):]
    try:
        parts = clauses.split(argument, KEYWORDS)
    except ValueError as e:
        fail(str(e))
    if not parts[""]:
        fail("a location is wanted; see `help rio trace'")
    if keep and "to" in parts:
        fail("hits are kept, or go to a file")
    point = Tracepoint(parts[""], parts, keep)
    if keep:
        kept[point.number] = point.path


class Trace(gdb.Command):
    """Trace a place in the program, or its system calls.
Usage: rio trace [-keep] LOCATION [if COND] [collect EXPR, ...] [limit N] \
[to FILE]
       rio trace show [NUMBER]
       rio trace syscalls [NAME...] [if COND] [limit N] [to FILE]

LOCATION is as of `break'.  Each hit for which COND holds prints a line with
the expressions, or with the function's arguments if there are none, while the
program runs; or writes it to FILE, as CSV if its name ends in .csv.  With
-keep the hits are kept, and `rio trace show' shows them as a table: those of
tracepoint NUMBER, by default the last one.  After N hits the tracepoint is
disabled.  It has a number like a breakpoint's: `delete' ends it.

COND is evaluated in the program, at full speed, and where it is false nothing
else happens.  A hit that is recorded stops the program for a moment, for GDB
reads what is collected.

`rio trace syscalls' lets the program run, and shows its system calls as
strace would.  NAME is of a system call, or group:NAME of a group; by default
all are shown.  COND is evaluated when a call has returned: $rax is its
result, and $rdi, $rsi, $rdx, $r10, $r8, $r9 are its arguments.  It ends when
N calls have been shown, or when the program stops for another reason, such as
Ctrl-C or a breakpoint.  Each call that is named stops the program for a
moment.

Example: rio trace record if value > 5000000 collect slot, value limit 3
Example: rio trace syscalls openat read if $rax < 0 limit 10"""

    def __init__(self):
        super().__init__("rio trace", gdb.COMMAND_TRACEPOINTS)

    def invoke(self, argument, from_tty):
        word, _, rest = argument.partition(" ")
        if word == "syscalls":
            syscalls.invoke(rest)
        elif word == "show":
            show(rest)
        else:
            set_point(argument)

    def complete(self, text, word):
        words = text.split()
        if text.startswith("syscalls "):
            return syscalls.complete(word)
        if text.startswith("show "):
            return [str(n) for n in sorted(kept) if str(n).startswith(word)]
        if len(words) < 2 and not text.endswith(" "):
            return gdb.COMPLETE_LOCATION
        if words and words[-1] in ("if", "collect") and text.endswith(" "):
            return gdb.COMPLETE_SYMBOL
        return [k for k in KEYWORDS
                if k.startswith(word) and k not in words[:-1]]


Trace()
