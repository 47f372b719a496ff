"""rio info, stats, memory, map, disassemble, traces: what the engine knows of
itself, by `monitor'."""

import re

import gdb

from .remote import address, fail, monitor, no_argument, place


class Rio(gdb.Command):
    """Commands for a program that rio-gdbserver runs.

Connect first: target remote | rio-gdbserver PROGRAM"""

    def __init__(self):
        super().__init__("rio", gdb.COMMAND_SUPPORT, gdb.COMPLETE_NONE, True)


class Plain(gdb.Command):
    """A command that is a monitor command with no arguments."""

    def __init__(self, word):
        self.word = word
        super().__init__("rio " + word, gdb.COMMAND_STATUS)

    def invoke(self, argument, from_tty):
        no_argument(argument)
        gdb.write(monitor(self.word))


class Info(Plain):
    """Show the process, its threads, the engine's options and its code.
Usage: rio info

Example: rio info"""


class Stats(Plain):
    """Show the engine's counters, a name and a number on each line.
Usage: rio stats [WORD]

With WORD, only lines that have it.
Example: rio stats condition"""

    def invoke(self, argument, from_tty):
        for line in monitor("stats").splitlines():
            if argument.strip() in line:
                gdb.write(line + "\n")

    def complete(self, text, word):
        return [w for w in ("blocks", "conditions", "links", "traces",
                            "memory", "system")
                if w.startswith(word)]


class Memory(Plain):
    """Show what the engine's memory is used for, in bytes.
Usage: rio memory

Example: rio memory"""


class OfAddress(gdb.Command):
    """A monitor command with an address, which is $pc by default."""

    def __init__(self, word):
        self.word = word
        super().__init__("rio " + word, gdb.COMMAND_STATUS,
                         gdb.COMPLETE_EXPRESSION)

    def invoke(self, argument, from_tty):
        at = address(argument.strip() or "$pc")
        gdb.write(monitor("%s 0x%x" % (self.word, at)))


class Map(OfAddress):
    """Show where the code cache executes the instruction at an address.
Usage: rio map [ADDRESS]

ADDRESS is an expression, $pc by default.  If it is an address in the cache,
show instead which instruction of the program the code there stands for.
Example: rio map main
Example: rio map $pc"""


class Disassemble(OfAddress):
    """Show the program's instructions beside the code that runs for them.
Usage: rio disassemble [ADDRESS]

ADDRESS is an expression, $pc by default.  Every block and trace that executes
the instruction there is shown: the program's instructions on the left, what
stands for them in the cache on the right.
Example: rio disassemble main
Example: rio disassemble $pc"""


class Traces(gdb.Command):
    """Show the traces: the paths that the program takes often.
Usage: rio traces [COUNT]

Each with the blocks that it goes through and their places in the source.
With COUNT, only the last COUNT that were made.
Example: rio traces 3"""

    def __init__(self):
        super().__init__("rio traces", gdb.COMMAND_STATUS, gdb.COMPLETE_NONE)

    def invoke(self, argument, from_tty):
        count = argument.strip()
        if count and not re.fullmatch("[1-9][0-9]*", count):
            fail("COUNT is a number above 0, not `%s'" % count)
        lines = monitor("traces").splitlines()
        starts = [n for n, line in enumerate(lines)
                  if not line.startswith("  ")]
        if count:
            lines = lines[starts[-min(int(count), len(starts))]:]
        for line in lines:
            if line.startswith("  0x"):
                line += "  " + place(int(line, 16))
            gdb.write(line + "\n")


Rio()
Info("info")
Stats("stats")
Memory("memory")
Map("map")
Disassemble("disassemble")
Traces()
