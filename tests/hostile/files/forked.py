"""A program that runs the command for each line of its input, in processes that start with all modules loaded.

`test_whole_command.py` starts it. A line holds arguments and a folder as JSON, and so is the answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path

from opsmail.cli.face import run
from opsmail.output.findings import FORMATS
from tests.builders import SETTINGS, operator_text, write_files
from tests.hostile.files.watch import watched


def answer(arguments: list[str], folder: str) -> dict[str, object]:
    """Return how a run in a folder ended, what it wrote and asked for, and what it cost."""
    with tempfile.TemporaryDirectory() as outputs:
        out, err, asked = (Path(outputs, name) for name in ("out", "err", "asked"))
        child = os.fork()
        if child == 0:
            _in_the_child(arguments, folder, out, err, asked)
        _, status, usage = os.wait4(child, 0)
        return {
            "code": os.waitstatus_to_exitcode(status),
            "out": out.read_bytes().decode("utf-8", "surrogateescape"),
            "err": err.read_bytes().decode("utf-8", "surrogateescape"),
            "asked": json.loads(asked.read_text("utf-8") or "null") if asked.exists() else None,
            "seconds": usage.ru_utime + usage.ru_stime,
            "bytes": usage.ru_maxrss * 1024,
        }


def _in_the_child(arguments: list[str], folder: str, out: Path, err: Path, asked: Path) -> None:
    code = 99
    try:
        for number, path in ((1, out), (2, err)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
        os.chdir(folder)
        with watched() as watch:
            code = run(arguments)
        asked.write_text(json.dumps({"files": watch.foreign_files(folder), "beyond": watch.beyond}), "utf-8")
    finally:
        os._exit(code)


def load() -> None:
    """Load what a run needs, here and once, by runs in all formats of a correct file and of a wrong one."""
    formats = [argument for name in FORMATS for argument in ("--format", f"{name}:{name}")]
    for content in (operator_text(), operator_text(server={"port": 465})):
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            write_files(Path(folder), {"opsmail.toml": SETTINGS, "operators/rh.yaml": content})
            run(["check", *formats])


def main() -> None:
    """Answer until standard input ends."""
    load()
    for line in sys.stdin:
        print(json.dumps(answer(*json.loads(line))), flush=True)
