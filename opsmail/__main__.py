"""`python -m opsmail` is the `opsmail` command."""

from opsmail.cli import main

main()
