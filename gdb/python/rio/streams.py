"""What the server records for `rio trace': places, conditions and values as
agent bytecode, kept in step with GDB's breakpoints."""

import re

import gdb

from .bytecode import Refused, compile_at, names
from .remote import monitor, place

VALUE = 0x8000          # variables from there on are recorded, not set
MOST_VALUES = 32
STRING = 200            # bytes that are collected of one


def type_at(address, text):
    """The type of TEXT as it is in scope at ADDRESS: GDB's parser looks in the
    frame that is selected, so variables are given to it as their types."""
    block = gdb.block_for_pc(address)
    known = {}
    while block is not None and not block.is_global:
        for symbol in block:
            if symbol.is_variable or symbol.is_argument:
                known.setdefault(symbol.name, symbol.type)
        block = block.superblock
    for n, name in enumerate(sorted(set(names(text)) & set(known))):
        null = gdb.Value(0).cast(known[name].pointer())
        gdb.set_convenience_variable("rio_%d" % n, null)
        text = re.sub(r"(?<![\w.$])(?<!->)%s\b" % name,
                      lambda _, n=n: "(*$rio_%d)" % n, text)
    try:
        told = gdb.execute("whatis " + text, to_string=True)
        told = told.split("=", 1)[1].strip()
        return gdb.parse_and_eval("(%s *) 0" % told).type.target()
    except (gdb.error, IndexError) as e:
        raise Refused("GDB does not tell its type") from e


def is_character(kind):
    """Whether strings are made of KIND."""
    return kind.code == gdb.TYPE_CODE_INT and kind.sizeof == 1


def kind_of(kind):
    """How the server is to show values of the type KIND."""
    kind = kind.strip_typedefs()
    if kind.code == gdb.TYPE_CODE_BOOL:
        return "b"
    if kind.code == gdb.TYPE_CODE_ENUM:
        return "e" + ",".join("%d=%s" % (f.enumval, f.name)
                              for f in kind.fields())
    if kind.code in (gdb.TYPE_CODE_INT, gdb.TYPE_CODE_CHAR):
        if kind.sizeof > 8:
            raise Refused("it is wider than 8 bytes")
        if kind.sizeof == 1:
            return "c"
        return "d" if kind.is_signed else "u"
    if kind.code == gdb.TYPE_CODE_FLT and kind.sizeof in (4, 8):
        return "f" if kind.sizeof == 4 else "F"
    if kind.code == gdb.TYPE_CODE_PTR:
        return "s" if is_character(kind.target().strip_typedefs()) else "x"
    raise Refused("it is no number and no pointer")


def value_code(location, address, text, index):
    """The kind of value number INDEX, TEXT at ADDRESS, and its bytecode for
    each address of LOCATION."""
    kind = kind_of(type_at(address, text))
    if kind in "fF":
        word = "unsigned int" if kind == "f" else "unsigned long"
        text = "*(%s *) &(%s)" % (word, text)
    end = b"\x2d" + (VALUE + index).to_bytes(2, "big")
    if kind == "s":
        end += bytes([0x0d, STRING])
    return kind, {a: code[:-1] + end + b"\x27"
                  for a, code in compile_at(location, text).items()}


class Stream:
    """What a tracepoint records at each place of LOCATION: the EXPRESSIONS, or
    ARGUMENTS (a function of the address) if there are none; where CONDITION
    holds, if it is not None; LIMIT times, if it is not None; as lines for the
    terminal, or for the file PATH."""

    def __init__(self, location, expressions, arguments, condition, limit,
                 path):
        self.location = location
        self.expressions = expressions
        self.arguments = arguments
        self.condition = condition
        self.limit = limit
        self.path = path

    def words(self, address):
        """The arguments of `monitor trace add' for ADDRESS, behind the number;
        or Refused."""
        bare = not self.expressions
        texts = self.expressions or self.arguments(address)
        if len(texts) > MOST_VALUES:
            raise Refused("there are more than %d values" % MOST_VALUES)
        condition = "-"
        if self.condition:
            condition = self.code_at(compile_at(
                self.location, self.condition), address).hex()
        words = ["0x%x" % address, str(self.limit or 0),
                 self.path.encode().hex() if self.path else "-",
                 place(address).encode().hex(), "1" if bare else "0",
                 condition]
        for i, text in enumerate(texts):
            kind, codes = value_code(self.location, address, text, i)
            words += [text.encode().hex(), kind.encode().hex(),
                      self.code_at(codes, address).hex()]
        return " ".join(words)

    def code_at(self, codes, address):
        """That of CODES for ADDRESS."""
        if address not in codes:
            raise Refused("its places are not clear")
        return codes[address]


class Streams:
    """All of them, and what the server has."""

    def __init__(self):
        self.points = []
        self.sent = {}
        self.busy = False
        events = gdb.events
        for event in (events.breakpoint_created, events.breakpoint_modified,
                      events.stop, events.new_objfile):
            event.connect(self.update)
        events.breakpoint_deleted.connect(self.forget)
        events.exited.connect(self.ended)

    def add(self, point):
        """POINT, a breakpoint with a `stream', is to be recorded."""
        self.points.append(point)
        self.update(None)

    def wanted(self, point):
        """What the server shall have of POINT: lines of words."""
        if not point.enabled:
            return []
        return [point.stream.words(place.address)
                for place in point.locations if place.enabled]

    def update(self, event):
        """Tell the server what has changed, if it can be told."""
        if self.busy or not self.points:
            return
        thread = gdb.selected_thread()
        if thread is None or thread.is_running():
            return
        self.busy = True
        try:
            for point in list(self.points):
                self.update_one(point)
        finally:
            self.busy = False

    def update_one(self, point):
        """Tell the server what has changed of POINT."""
        number = point.number
        limit = point.stream.limit
        if (limit and point.enabled and self.sent.get(number)
                and int(monitor("trace hits %d" % number)) >= limit):
            point.enabled = False
        try:
            wanted = self.wanted(point)
        except Refused as e:
            self.points.remove(point)
            monitor("trace end %d" % number)
            point.leave_to_gdb(str(e))
            return
        if wanted == self.sent.get(number, []):
            return
        monitor("trace end %d" % number)
        for words in wanted:
            monitor("trace add %d %s" % (number, words))
        self.sent[number] = wanted

    def forget(self, point):
        """POINT is about to be deleted."""
        if point not in self.points:
            return
        self.points.remove(point)
        if self.sent.pop(point.number, None) and gdb.selected_thread():
            monitor("trace forget %d" % point.number)

    def ended(self, event):
        """The process is gone, and what the server had of it."""
        self.sent = {}


STREAMS = Streams()
