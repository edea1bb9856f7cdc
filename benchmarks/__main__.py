"""`python -m benchmarks [check|live] [OPTIONS]`: how opsmail's work compares with what else could do it.

Without a name and without options, all of them; options without a name are those of `check`. Each has `--help`.
"""

import sys
from collections.abc import Sequence

from benchmarks import check, live

_BENCHMARKS = {"check": check.main, "live": live.main}


def _main(arguments: Sequence[str]) -> None:
    if not arguments:
        for benchmark in _BENCHMARKS.values():
            benchmark([])
    elif arguments[0] in _BENCHMARKS:
        _BENCHMARKS[arguments[0]](arguments[1:])
    else:
        check.main(arguments)


_main(sys.argv[1:])
