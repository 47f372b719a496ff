"""Agent bytecode for an expression, by GDB's own compiler."""

import re

import gdb

# Operations with operands: the opcode, and their bytes.  The others have none.
WITH_OPERAND = {
    "trace_quick": (0x0d, 1), "ext": (0x16, 1), "if_goto": (0x20, 2),
    "goto": (0x21, 2), "const8": (0x22, 1), "const16": (0x23, 2),
    "const32": (0x24, 4), "const64": (0x25, 8), "reg": (0x26, 2),
    "zero_ext": (0x2a, 1), "getv": (0x2c, 2), "setv": (0x2d, 2),
    "tracev": (0x2e, 2), "trace16": (0x30, 2), "pick": (0x32, 1),
}
PLAIN = {
    "add": 0x02, "sub": 0x03, "mul": 0x04, "div_signed": 0x05,
    "div_unsigned": 0x06, "rem_signed": 0x07, "rem_unsigned": 0x08,
    "lsh": 0x09, "rsh_signed": 0x0a, "rsh_unsigned": 0x0b, "log_not": 0x0e,
    "bit_and": 0x0f, "bit_or": 0x10, "bit_xor": 0x11, "bit_not": 0x12,
    "equal": 0x13, "less_signed": 0x14, "less_unsigned": 0x15,
    "ref8": 0x17, "ref16": 0x18, "ref32": 0x19, "ref64": 0x1a, "end": 0x27,
    "dup": 0x28, "pop": 0x29, "swap": 0x2b, "rot": 0x33,
}


# The block of thread-local memory that a thread is born with is no larger.
STATIC_MOST = 1 << 20


class Refused(Exception):
    """The engine cannot evaluate it; the argument says why."""


def names(text):
    """The identifiers of TEXT that are no members and no registers."""
    return re.findall(r"(?<![\w.$])(?<!->)[A-Za-z_]\w*", text)


def is_local(name):
    """Whether NAME is a variable that lives in a frame."""
    try:
        symbol = gdb.lookup_symbol(name)[0]
    except gdb.error:
        return False
    return symbol is not None and symbol.needs_frame


def thread_offset(name):
    """How far behind $fs_base the thread-local NAME is, in every thread; or
    Refused.  So it is for what is in the block that a thread is born with,
    not for what is allocated when a thread first uses it."""
    thread, frame = gdb.selected_thread(), gdb.selected_frame()
    offsets = set()
    try:
        for other in gdb.selected_inferior().threads():
            other.switch()
            offsets.add(int(gdb.parse_and_eval(
                "(long) &%s - (long) $fs_base" % name)))
    except gdb.error as e:
        raise Refused(str(e).rstrip(".")) from e
    finally:
        thread.switch()
        frame.select()
    if len(offsets) != 1 or not -STATIC_MOST < min(offsets) < 0:
        raise Refused("`%s' is allocated when a thread first uses it" % name)
    return offsets.pop()


def symbol_at(name, address):
    """The symbol that NAME is in code at ADDRESS, in the selected frame if
    that is None."""
    try:
        if address is None:
            return gdb.lookup_symbol(name)[0]
        return gdb.lookup_symbol(name, gdb.block_for_pc(address))[0]
    except (gdb.error, TypeError):
        return None


def place_of(symbol):
    """Where SYMBOL is declared."""
    return symbol.symtab.filename if symbol.symtab else None, symbol.line


def is_thread_local(name, address):
    """Whether NAME is a thread-local variable in code at ADDRESS."""
    symbol = symbol_at(name, address)
    if symbol is None or symbol.needs_frame or not symbol.is_variable:
        return False
    here = symbol_at(name, None)
    if here is None or place_of(here) != place_of(symbol):
        return False
    told = gdb.execute("info address " + name, to_string=True)
    return "thread-local" in told


def without_thread_locals(text, address):
    """TEXT, to be evaluated at ADDRESS, with what thread-local variables it
    names told by $fs_base, which GDB's compiler knows."""
    for name in set(names(text)):
        if is_thread_local(name, address):
            text = re.sub(r"(?<![\w.$])(?<!->)%s\b" % name,
                          "({typeof (%s)} ($fs_base + (%d)))"
                          % (name, thread_offset(name)), text)
    return text


def listing_of(command, text, address):
    """What GDB's compiler makes of TEXT, by COMMAND; or Refused."""
    try:
        return gdb.execute(command + text, to_string=True)
    except gdb.error as e:
        if "tls_address" not in str(e):
            raise Refused(str(e).rstrip(".")) from e
    try:
        return gdb.execute(command + without_thread_locals(text, address),
                           to_string=True)
    except gdb.error as e:
        raise Refused(str(e).rstrip(".")) from e


def assemble(line):
    """The bytes of one line of GDB's listing, such as `12 const8 5'."""
    words = line.split()
    if len(words) == 2 and words[1] in PLAIN:
        return bytes([PLAIN[words[1]]])
    if len(words) == 3 and words[1] in WITH_OPERAND:
        code, size = WITH_OPERAND[words[1]]
        value = int(words[2]) % (1 << 8 * size)
        return bytes([code]) + value.to_bytes(size, "big")
    raise Refused("GDB's compiler says `%s'" % line.strip())


def compile_at(location, text):
    """The bytecode of TEXT for each address that LOCATION, of the kind that
    `break' takes, comes to: {address: bytes}; or Refused.  GDB's compiler
    takes no addresses for places."""
    if location.startswith("*"):
        raise Refused("its place is an address")
    places = gdb.decode_line(location)[1]
    listing = listing_of("maint agent-eval -at %s, " % location, text,
                         places[0].pc if places else None)
    found = {}
    scope = None
    for line in listing.splitlines():
        if line.startswith("Scope: "):
            scope = int(line.split()[1], 16)
            found[scope] = b""
        elif re.match(r"\s*\d+\s+\w", line) and scope is not None:
            found[scope] += assemble(line)
    if not found or not all(found.values()):
        raise Refused("GDB's compiler says nothing")
    return found


def compile_condition(text):
    """The bytecode of TEXT, which may be evaluated anywhere in the program, as
    a string in hexadecimal; or Refused."""
    for name in names(text):
        if is_local(name):
            raise Refused("`%s' lives in a frame" % name)
    listing = listing_of("maint agent-eval ", text, None)
    lines = [line for line in listing.splitlines()
             if re.match(r"\s*\d+\s+\w", line)]
    code = b"".join(assemble(line) for line in lines)
    # Register 58 is $fs_base, the thread's whatever its frame.
    if (any(line.split()[1:2] == ["reg"] and line.split()[2] != "58"
            for line in lines) and "$" not in text):
        raise Refused("it needs the registers of a frame")
    if not code:
        raise Refused("GDB's compiler says nothing")
    return code.hex()
