"""rio trace syscalls: what strace shows, from within GDB."""

import re

import gdb

from . import clauses
from .records import Records, limit_of
from .remote import ask, fail

KEYWORDS = ("if", "limit", "to")

NO_RETURN = ("exit", "exit_group", "rt_sigreturn")


class Session:
    """One run of the program with a catchpoint, which is gone after it."""

    def __init__(self, names, condition, records):
        self.condition = condition
        self.records = records
        text = gdb.execute("catch syscall " + names, to_string=True)
        found = re.search(r"Catchpoint (\d+)", text)
        if not found:
            fail("GDB has not understood these system calls")
        self.number = int(found.group(1))
        gdb.execute("commands %d\nsilent\nend" % self.number)

    def end(self):
        """Take the catchpoint out."""
        gdb.execute("delete %d" % self.number, to_string=True)

    def holds(self):
        """Whether the condition is true for the call that the thread is
        at."""
        return (self.condition is None
                or bool(gdb.parse_and_eval(self.condition)))

    def record(self, name, call):
        """Record CALL, of NAME; False: enough of it."""
        thread = gdb.selected_thread().num
        if not self.holds():
            return True
        row = [self.records.count + 1, thread, name, call]
        return self.records.add(row, "[%d] %s" % (thread, call))

    def run(self):
        """Let the program run until enough is recorded, or it stops for
        another reason, which GDB tells."""
        while True:
            gdb.execute("continue", to_string=True)
            thread = gdb.selected_thread()
            said = thread and ask("syscall %d" % thread.ptid[1])
            if not said or said.startswith("rio: "):
                return
            when, _, call = said.rstrip().partition(" ")
            name = call.split("(")[0]
            if when == "return" or name in NO_RETURN:
                if not self.record(name, call):
                    return


def invoke(argument):
    """rio trace syscalls ARGUMENT."""
    try:
        parts = clauses.split(argument, KEYWORDS)
    except ValueError as e:
        fail(str(e))
    if gdb.selected_thread() is None:
        fail("there is no program that could run")
    records = Records(["hit", "thread", "name", "call"], parts.get("to"),
                      limit=limit_of(parts))
    session = Session(parts[""], parts.get("if"), records)
    try:
        session.run()
    finally:
        session.end()


def complete(word):
    """What may stand for WORD: a system call or a clause."""
    said = gdb.execute("complete catch syscall " + word, to_string=True)
    names = [line.split()[-1] for line in said.splitlines()]
    return names + [k for k in KEYWORDS if k.startswith(word)]
