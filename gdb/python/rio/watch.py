"""rio watch: watchpoints with conditions, and a log of who wrote."""

import gdb

from . import clauses
from .records import Records, holds, limit_of, show_value
from .remote import fail, place

KEYWORDS = ("if", "limit", "to")


class Log(gdb.Breakpoint):
    """A watchpoint that records and goes on."""

    def __init__(self, expression, records):
        self.records = records
        self.old = show_value(expression)
        super().__init__(expression, gdb.BP_WATCHPOINT, gdb.WP_WRITE)

    def stop(self):
        old, new = self.old, show_value(self.expression)
        self.old = new
        if not holds(self.condition):
            return False
        thread = gdb.selected_thread().num
        where = place(gdb.newest_frame().pc())
        row = [self.records.count + 1, thread, where, old, new]
        text = "%d: thread %d, %s: %s = %s, was %s" % (
            row[0], thread, where, self.expression, new, old)
        if not self.records.add(row, text):
            self.enabled = False
        return False


class Watch(gdb.Command):
    """Stop when EXPR changes and COND holds, or log its changes.
Usage: rio watch EXPR [if COND]
       rio watch -log EXPR [if COND] [limit N] [to FILE]

With -log nothing stops: each change prints the place behind the store that
made it, the old value and the new one; or writes them to FILE, as CSV if its
name ends in .csv.  After N changes the watchpoint is disabled.  It has a
number like a breakpoint's: `delete' ends it.

GDB evaluates COND, and takes notes for -log, at each change, for which the
program stops for a moment.

Example: rio watch table[3] if table[3] > 1000
Example: rio watch -log sum limit 5"""

    def __init__(self):
        super().__init__("rio watch", gdb.COMMAND_BREAKPOINTS,
                         gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        log = argument.startswith("-log ")
        if log:
            argument = argument[len("-log "):]
        try:
            parts = clauses.split(argument, KEYWORDS)
        except ValueError as e:
            fail(str(e))
        if not parts[""]:
            fail("an expression is wanted; see `help rio watch'")
        if not log and ("limit" in parts or "to" in parts):
            fail("limit and to go with -log")
        self.set(log, parts)

    def set(self, log, parts):
        """Make the watchpoint that PARTS asks for."""
        if log:
            columns = ["hit", "thread", "place", "old", "new"]
            point = Log(parts[""], Records(columns, parts.get("to"),
                                           limit=limit_of(parts)))
        else:
            point = gdb.Breakpoint(parts[""], gdb.BP_WATCHPOINT,
                                   gdb.WP_WRITE)
        if "if" in parts:
            try:
                point.condition = parts["if"]
            except gdb.error:
                point.delete()
                raise


Watch()
