"""`python -m coordconv_rl` is `coordconv-rl`."""

import sys

from coordconv_rl.cli import run_command_line

sys.exit(run_command_line())
