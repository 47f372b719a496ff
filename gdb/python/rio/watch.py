"""rio watch: watchpoints with conditions, and a log of who wrote."""

import os
import re

import gdb

from . import clauses
from .bytecode import Refused, compile_condition
from .records import limit_of
from .remote import fail, monitor

KEYWORDS = ("if", "limit", "to")
WATCHPOINTS = (gdb.BP_WATCHPOINT, gdb.BP_HARDWARE_WATCHPOINT,
               gdb.BP_READ_WATCHPOINT, gdb.BP_ACCESS_WATCHPOINT)


def extent_of(expression):
    """Address and length of EXPRESSION; None: it has no address."""
    try:
        value = gdb.parse_and_eval(expression)
        if value.address is None:
            return None
        return int(value.address) & 0xffffffffffffffff, value.type.sizeof
    except gdb.error:
        return None


def is_apart(point, extent):
    """Whether POINT, a watchpoint of the user's, surely watches nothing of
    EXTENT."""
    simple = re.fullmatch(r"[A-Za-z_]\w*(\.\w+|\[\d+\])*", point.expression)
    other = extent_of(point.expression) if simple else None
    return other is not None and (other[0] + other[1] <= extent[0]
                                  or extent[0] + extent[1] <= other[0])


class Conditions:
    """What the engine evaluates for watchpoints.  GDB evaluates a condition
    too, when the engine has found it true, so that it may be left to GDB at
    any time."""

    def __init__(self):
        self.points = []
        self.sent = set()
        gdb.events.breakpoint_created.connect(self.update)
        gdb.events.breakpoint_modified.connect(self.update)
        gdb.events.breakpoint_deleted.connect(self.forget)
        gdb.events.stop.connect(self.update)
        gdb.events.exited.connect(self.ended)

    def add(self, point):
        """The condition of POINT is to be evaluated by the engine.  Returns
        why it cannot be, or None."""
        self.points.append(point)
        try:
            self.code_of(point)
        except Refused as e:
            return str(e)
        self.update(None)
        return None

    def code_of(self, point):
        """The extent of POINT and its bytecode."""
        extent = extent_of(point.expression)
        if extent is None:
            raise Refused("`%s' has no address" % point.expression)
        if not point.condition:
            raise Refused("there is none")
        for other in gdb.breakpoints():
            if (other not in self.points and other.type in WATCHPOINTS
                    and other.enabled and not is_apart(other, extent)):
                raise Refused("watchpoint %d may watch the same"
                              % other.number)
        return extent, compile_condition(point.condition)

    def wanted(self):
        """What each extent that is watched shall have."""
        found = {}
        for point in self.points:
            if not point.enabled:
                continue
            try:
                extent, code = self.code_of(point)
            except Refused:
                extent, code = extent_of(point.expression), None
            found.setdefault(extent, []).append(code)
        return {e: codes for e, codes in found.items() if None not in codes}

    def update(self, event):
        """Tell the server what has changed."""
        self.points = [p for p in self.points if p.is_valid()]
        if not self.points and not self.sent:
            return
        thread = gdb.selected_thread()
        if thread is None or thread.is_running():
            return
        new = {(e, tuple(codes)) for e, codes in self.wanted().items()}
        kept = {e for e, _ in new}
        for extent, _ in self.sent - new:
            if extent not in kept:
                monitor("watch condition 0x%x %d" % extent)
        for extent, codes in new - self.sent:
            monitor("watch condition 0x%x %d %s" % (*extent, " ".join(codes)))
        self.sent = new

    def forget(self, point):
        """POINT is about to be deleted."""
        if point in self.points:
            self.points.remove(point)
        self.update(None)

    def ended(self, event):
        """The process is gone, and what the server had of it."""
        self.sent = set()


CONDITIONS = Conditions()


def format_of(expression):
    """How the server is to show values of EXPRESSION."""
    kind = gdb.parse_and_eval(expression).type.strip_typedefs()
    if kind.code in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_ENUM,
                     gdb.TYPE_CODE_CHAR, gdb.TYPE_CODE_BOOL):
        return "d" if kind.is_signed else "u"
    return "x"


def begin_log(parts):
    """rio watch -log, with what PARTS have."""
    expression = parts[""]
    extent = extent_of(expression)
    if extent is None or extent[1] == 0:
        fail("`%s' has no value in memory" % expression)
    code = ""
    if "if" in parts:
        try:
            code = compile_condition(parts["if"])
        except Refused as e:
            fail("the condition cannot be evaluated in the program: %s" % e)
    path = parts.get("to")
    number = monitor("watch log 0x%x %d %s %d %s %s %s" % (
        *extent, format_of(expression), limit_of(parts) or 0,
        expression.encode().hex(),
        os.path.abspath(path).encode().hex() if path else "-", code))
    gdb.write("Log %s: %s\n" % (number.strip(), expression))


def manage(argument):
    """rio watch -logs, and -end NUMBER."""
    words = argument.split()
    if words == ["-logs"]:
        gdb.write(monitor("watch logs") or "There are no logs.\n")
    elif words[0] == "-end" and len(words) == 2 and words[1].isdigit():
        monitor("watch end " + words[1])
    else:
        fail("`%s' is none of -log, -logs, -end NUMBER" % words[0])


class Watch(gdb.Command):
    """Stop when EXPR changes and COND holds, or log its changes.
Usage: rio watch EXPR [if COND]
       rio watch -log EXPR [if COND] [limit N] [to FILE]
       rio watch -logs
       rio watch -end NUMBER

COND is evaluated in the program, after each store that changes EXPR; where it
is false the program goes on at once, and GDB hears nothing of it.  A COND that
names local variables, or that GDB has no bytecode for, is left to GDB, which
stops the program for a moment at each change; a line says so.  The old value
that GDB prints is that of the last time when it looked.

With -log nothing stops: each change prints the thread, the place of the
instruction that made it, the new value and the old one, while the program
runs; or writes them to FILE, on the machine of the server, as CSV if its name
ends in .csv.  After N changes it ends.  `rio watch -logs' lists what is
logged, and who wrote how often; `rio watch -end NUMBER' ends it.

Example: rio watch table[38] if table[38] > 1000
Example: rio watch -log sum limit 5"""

    def __init__(self):
        super().__init__("rio watch", gdb.COMMAND_BREAKPOINTS,
                         gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        log = argument.startswith("-log ")
        if log:
            argument = argument[len("-log "):]
        elif argument.startswith("-"):
            manage(argument)
            return
        try:
            parts = clauses.split(argument, KEYWORDS)
        except ValueError as e:
            fail(str(e))
        if not parts[""]:
            fail("an expression is wanted; see `help rio watch'")
        if log:
            begin_log(parts)
            return
        if "limit" in parts or "to" in parts:
            fail("limit and to go with -log")
        self.set(parts)

    def set(self, parts):
        """Make the watchpoint that PARTS asks for."""
        point = gdb.Breakpoint(parts[""], gdb.BP_WATCHPOINT, gdb.WP_WRITE)
        if "if" not in parts:
            return
        try:
            point.condition = parts["if"]
        except gdb.error:
            point.delete()
            raise
        why = CONDITIONS.add(point)
        if why is not None:
            gdb.write("rio: GDB evaluates the condition: %s.\n" % why)


Watch()
