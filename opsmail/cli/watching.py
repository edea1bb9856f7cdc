"""`check --watch`: the check again whenever a file changes that it looks at.

Files are looked at again and again, by their facts alone: every system can do that, also on shared folders, where
notices of changes do not arrive.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from opsmail.cli.outputs import Output
from opsmail.cli.session import Session
from opsmail.cli.stdin import STANDARD_INPUT
from opsmail.errors import OpsmailError, UsageError
from opsmail.messages import msg
from opsmail.settings.files import WAIVERS_NAME

#: Seconds between two looks, as long as they take little time.
_PAUSE = 0.3
#: A look is paid for by a pause so many times as long: at most 2 % of a processor, however many files there are.
_SHARE = 50
#: More names of changed files help nobody.
_MOST_NAMES = 3
_CLEAR = "\x1b[H\x1b[2J"

#: Path to what tells one state of a file from another; empty for a folder.
Stamps = Mapping[str, tuple[int, ...]]


def require_watchable(outputs: Sequence[Output], paths: Sequence[str], *, writes: bool) -> None:
    """Return when a run can be repeated for somebody who looks on.

    Args:
        outputs: how it shows what it finds.
        paths: what it looks at, as it was typed.
        writes: whether it changes files.

    Raises:
        UsageError: it cannot.
    """
    if STANDARD_INPUT in paths:
        raise UsageError(msg("standard input cannot be watched"), hint=msg("leave out --watch, or name the file"))
    if writes:
        raise UsageError(
            msg("--watch only looks on"),
            hint=msg("leave out --fix, --diff and --write-baseline, and run the command once with each"),
        )
    if len(outputs) > 1 or any(output.file is not None for output in outputs):
        raise UsageError(
            msg("--watch shows one format, on standard output"),
            hint=msg("leave out the others, and the names of files: `opsmail check --watch --format concise`"),
        )


def watch(session: Session, paths: Sequence[str], run: Callable[[], object], *, beside: Sequence[str] = ()) -> NoReturn:
    """Run, and run again after each change, until the user ends it.

    Args:
        session: the circumstances.
        paths: as they were typed; none for the operators folders.
        run: checks and shows what was found. What it raises is shown; settings that are being edited may be wrong.
        beside: other files that decide what it finds, as they were typed.
    """
    console = session.console
    others = [session.relative(path) for path in beside]
    names = _names(session, paths, ("operators",))
    while True:
        names = _names(session, paths, names)
        watched = (*names, *others)
        before = look(session.root, watched)
        try:
            run()
        except OpsmailError as error:
            if type(error) is UsageError:  # about the options, which no edit makes right; its children are about files
                raise
            console.error(error)
        console.say(msg("watching; Ctrl-C ends it"))
        changed = _wait(session.root, watched, before)
        if _is_screen():
            console.result(_CLEAR)
        else:
            more = ", …" if len(changed) > _MOST_NAMES else ""
            console.say(msg("--- changed: {files}", files=", ".join(changed[:_MOST_NAMES]) + more))


def look(root: Path, names: Sequence[str]) -> Stamps:
    """Return the present state of files and of everything below folders; what is not there is left out.

    Args:
        root: the names are told from here.
        names: files and folders.
    """
    stamps: dict[str, tuple[int, ...]] = {}
    waiting: list[str] = []
    for name in names:
        try:
            facts = (root / name).stat()
        except (OSError, ValueError):
            continue
        if (root / name).is_dir():
            waiting.append(name)
        else:
            stamps[name] = _stamp(facts)
    while waiting:
        folder = waiting.pop()
        stamps[folder] = ()
        try:
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}"
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(path)
                    else:
                        stamps[path] = _stamp(entry.stat(follow_symlinks=False))
        except OSError:  # gone meanwhile, or closed to us: the next look or the check tells
            continue
    return stamps


def pause_after(seconds: float) -> float:
    """Return how many seconds to wait after a look that took so many."""
    return max(_PAUSE, seconds * _SHARE)


def _stamp(facts: os.stat_result) -> tuple[int, ...]:
    return facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size, facts.st_ino


def _wait(root: Path, names: Sequence[str], before: Stamps) -> list[str]:
    """Return the names of what is different, as soon as something is."""
    pause = _PAUSE
    while True:
        time.sleep(pause)
        began = time.perf_counter()
        now = look(root, names)
        if now != before:
            return sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        pause = pause_after(time.perf_counter() - began)


def _names(session: Session, paths: Sequence[str], before: Sequence[str]) -> Sequence[str]:
    """Return what a run looks at; what the last one did, where the settings are wrong for the moment."""
    always = (session.config, WAIVERS_NAME)
    try:
        settings = session.settings()
    except OpsmailError:
        return tuple(dict.fromkeys((*always, *before)))
    named = [session.relative(path) for path in paths] or settings.file.operators
    return tuple(dict.fromkeys((*always, *named, *settings.texts)))


def _is_screen() -> bool:
    return sys.stdout is not None and sys.stdout.isatty() and os.environ.get("TERM") != "dumb"
