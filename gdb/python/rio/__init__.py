"""Commands of GDB for programs that rio-gdbserver runs.

They are thin over `monitor' commands and over what GDB itself can do, so that
a GDB without Python loses nothing but form.  Importing this package makes
them; `help rio' lists them."""

from . import facts, trace, watch  # noqa: F401
