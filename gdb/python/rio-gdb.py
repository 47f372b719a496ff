# The rio commands, for GDB's `source' command and for ~/.gdbinit.

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
# Nothing is left behind where this is installed.
sys.dont_write_bytecode, kept = True, sys.dont_write_bytecode
import rio  # noqa: E402,F401
sys.dont_write_bytecode = kept
