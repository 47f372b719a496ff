# The rio commands, for GDB's `source' command and for ~/.gdbinit.

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import rio  # noqa: E402,F401
