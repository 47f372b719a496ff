"""Asking the server, and words that all commands share."""

import gdb


def fail(sentence):
    """End the command with SENTENCE, a sentence without its full stop."""
    raise gdb.GdbError("rio: %s." % sentence)


def ask(line):
    """The server's answer to `monitor LINE'; the lack of a server ends the
    command."""
    try:
        text = gdb.execute("monitor " + line, to_string=True)
    except gdb.error as e:
        why = str(e).rstrip(".")
        if "not supported by this target" in why:
            why = ("connect to a program first, by target remote | "
                   "rio-gdbserver PROGRAM")
        elif why.startswith("Protocol error"):
            why = "the server at the other end is no rio-gdbserver"
        fail(why)
    return text


def monitor(line):
    """The same, where what the server refuses ends the command."""
    text = ask(line)
    if text.startswith("rio: "):
        raise gdb.GdbError(text.rstrip())
    return text


def address(expression):
    """The address that EXPRESSION means, as an int: a number, a pointer, or
    the address of a function."""
    try:
        value = gdb.parse_and_eval(expression)
        if value.type.code == gdb.TYPE_CODE_FUNC:
            value = value.address
        return int(value) & 0xffffffffffffffff
    except gdb.error as e:
        fail(str(e).rstrip("."))


def no_argument(argument):
    """End the command if it was given an argument."""
    if argument.strip():
        fail("this command has no arguments")


def place(pc):
    """FUNCTION (FILE:LINE) of PC, as far as it is known."""
    symbol = gdb.execute("info symbol 0x%x" % pc, to_string=True)
    name = symbol.split(" in section ")[0].strip()
    if symbol.startswith("No symbol"):
        name = "??"
    line = gdb.find_pc_line(pc)
    if line.symtab is not None:
        name += " (%s:%d)" % (line.symtab.filename.split("/")[-1], line.line)
    return name
