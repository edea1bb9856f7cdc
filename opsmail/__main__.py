"""`python -m opsmail`."""

import sys

if not sys.flags.safe_path:
    # The folder that the command runs in may be a checkout of anybody's: no module is taken from there.
    del sys.path[0]

from opsmail.cli import main

main()
