"""What tracing records: rows that are printed, kept, or written to a file."""

import csv
import gdb

from .remote import fail


class Records:
    """Rows of named columns.  Each goes to the terminal as it comes, or to
    the file NAME (CSV if it ends so)."""

    def __init__(self, columns, name=None, limit=None):
        self.columns = columns
        self.limit = limit
        self.count = 0
        self.file = None
        self.csv = None
        if name:
            self.open(name)

    def open(self, name):
        """Write to the file NAME from now on."""
        try:
            self.file = open(name, "w", newline="", encoding="utf-8")
        except OSError as e:
            fail("%s: %s" % (name, e.strerror))
        if name.endswith(".csv"):
            self.csv = csv.writer(self.file)
            self.csv.writerow(self.columns)

    def add(self, row, text):
        """Record ROW, a value for each column; TEXT is the same as a line.
        Returns False when no more are wanted."""
        self.count += 1
        if self.csv:
            self.csv.writerow(row)
        elif self.file:
            self.file.write(text + "\n")
        else:
            gdb.write(text + "\n")
        if self.file:
            self.file.flush()
        return self.limit is None or self.count < self.limit

    def close(self):
        """No more come from here."""
        if self.file:
            self.file.close()


def show_file(name):
    """Print the rows of the file of CSV NAME as a table."""
    try:
        with open(name, newline="", encoding="utf-8") as f:
            table = list(csv.reader(f))
    except OSError as e:
        fail("%s: %s" % (name, e.strerror))
    widths = [max(len(r[i]) for r in table) for i in range(len(table[0]))]
    for row in table:
        line = "  ".join(v.ljust(w) for v, w in zip(row, widths))
        gdb.write(line.rstrip() + "\n")


def limit_of(clauses):
    """The number of the clause `limit'; None: there is none."""
    if "limit" not in clauses:
        return None
    try:
        limit = int(clauses["limit"], 0)
    except ValueError:
        limit = 0
    if limit < 1:
        fail("limit wants a number above 0, not `%s'" % clauses["limit"])
    return limit


def holds(condition):
    """Whether CONDITION, None for none, is true; one that cannot be evaluated
    is.  GDB calls stop methods before it looks at a breakpoint's condition,
    and there may be another breakpoint at the place."""
    try:
        return condition is None or bool(gdb.parse_and_eval(condition))
    except gdb.error:
        return True


def show_value(expression):
    """EXPRESSION's value in the selected frame, on one line."""
    try:
        return gdb.parse_and_eval(expression).format_string(max_elements=64)
    except gdb.error as e:
        return "<%s>" % str(e).rstrip(".")
