"""Cutting an argument into clauses: LOCATION if CONDITION collect A, B."""

import re

OPEN = "([{"
CLOSE = ")]}"


def scan(text):
    """Each character of TEXT with its index and whether it stands outside of
    brackets and quotes."""
    depth = 0
    quote = None
    i = 0
    while i < len(text):
        c = text[i]
        yield i, c, depth == 0 and quote is None and c not in "\"'"
        if quote is not None:
            if c == "\\":
                i += 1
            elif c == quote:
                quote = None
        elif c in "\"'":
            quote = c
        elif c in OPEN:
            depth += 1
        elif c in CLOSE:
            depth -= 1
        i += 1


def split(text, keywords):
    """TEXT as a dict: its beginning under "", and what stands behind each of
    KEYWORDS.  ValueError where one stands twice, or before nothing."""
    outside = {i for i, _, free in scan(text) if free}
    pattern = re.compile(r"(?<!\S)(%s)(?!\S)" % "|".join(keywords))
    clauses = {}
    word, start = "", 0
    cuts = [m for m in pattern.finditer(text) if m.start() in outside]
    for m in cuts + [None]:
        clause = text[start:m.start() if m else len(text)].strip()
        if word in clauses:
            raise ValueError("there are two of `%s'" % word)
        if word and not clause:
            raise ValueError("nothing stands behind `%s'" % word)
        clauses[word] = clause
        if m:
            word, start = m.group(1), m.end()
    return clauses


def commas(text):
    """The expressions of TEXT, with commas between them."""
    parts = [""]
    last = 0
    for i, c, free in scan(text):
        if free and c == ",":
            parts[-1] = text[last:i].strip()
            parts.append("")
            last = i + 1
    parts[-1] = text[last:].strip()
    return [p for p in parts if p]
