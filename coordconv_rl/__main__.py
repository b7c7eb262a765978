"""`python -m coordconv_rl` is `coordconv-rl`."""

import sys

from coordconv_rl.cli import main

sys.exit(main())
