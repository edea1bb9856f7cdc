"""`python -m benchmarks`: `opsmail check` against what else could check the same files."""

from benchmarks.check import main

main()
