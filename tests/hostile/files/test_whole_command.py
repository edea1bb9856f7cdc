"""What holds for every file by the whole command: exit codes, time, memory, connections, files, and every output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from xml.parsers import expat

import pytest

from opsmail.output.findings import FORMATS
from tests.builders import SETTINGS, edited, operator_text, write_files
from tests.hostile.files.command import plain_environment
from tests.hostile.files.contents import REFUSED, SECRETS, SLOW
from tests.hostile.files.survival import MOST_BYTES, SECONDS, assert_harmless
from tests.unit.output.findings.naughty import NAUGHTY

ROOT = Path(__file__).parents[3]
Command = Callable[..., dict[str, Any]]

# The folder with the tests stands last, so that opsmail is the installed one.
_PROGRAM = f"import sys; sys.path.append({str(ROOT)!r}); from tests.hostile.files.forked import main; main()"


@pytest.fixture(scope="module")
def command() -> Iterator[Command]:
    """Runs the command in a folder, in a process of its own, without the cost of starting Python each time."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", _PROGRAM],
        env=plain_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )

    def run(*arguments: str, folder: Path) -> dict[str, Any]:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{json.dumps([arguments, str(folder)])}\n")
        process.stdin.flush()
        ended: dict[str, Any] = json.loads(process.stdout.readline())
        return ended

    with process:
        yield run
        assert process.stdin is not None
        process.stdin.close()


def survived(ended: dict[str, Any], seconds: float = SECONDS) -> None:
    """Everything that must hold held, whatever was found."""
    assert ended["code"] in (0, 1), ended
    assert ended["seconds"] < seconds
    assert ended["bytes"] < MOST_BYTES
    assert ended["asked"] == {"files": [], "beyond": []}
    assert "Traceback" not in ended["err"]
    assert_harmless(ended["out"])
    assert_harmless(ended["err"])


@pytest.mark.parametrize("content", [operator_text(), *SLOW.values()], ids=["correct", *SLOW])
def test_one_file(command: Command, tmp_path: Path, content: str) -> None:
    write_files(tmp_path, {"opsmail.toml": SETTINGS, "operators/rh.yaml": content})
    arguments = ("check", "--format", "text", "--format", "json:x.json")
    ended = command(*arguments, folder=tmp_path)
    if ended["seconds"] >= SECONDS:  # the machine may have had other things to do
        ended = command(*arguments, folder=tmp_path)
    survived(ended)
    document = (tmp_path / "x.json").read_text("utf-8")
    assert_harmless(document)
    assert (ended["code"] == 1) is (json.loads(document)["summary"]["errors"] > 0)


def test_all_that_is_refused(command: Command, tmp_path: Path) -> None:
    contents: list[str | bytes] = [parameters.values[0] for parameters in REFUSED]
    assert every_format(command, tmp_path, contents) == {f"operators/o{number}.yaml" for number in range(len(contents))}


@pytest.mark.case("X-12")
def test_secrets(command: Command, tmp_path: Path) -> None:
    every_format(command, tmp_path, SECRETS)


@pytest.mark.case("X-01", "X-04", "X-05", "X-17")
@pytest.mark.parametrize("field", ["name", "display_name", "host", "username", "team", "key", "comment", "password"])
def test_texts_that_act(command: Command, tmp_path: Path, field: str) -> None:
    """In the value of a field, as the name of one, and in a comment on a line that is shown."""
    every_format(command, tmp_path, [with_text(field, text) for text in NAUGHTY])


@pytest.mark.case("X-02")
def test_names_of_files_that_act(command: Command, tmp_path: Path) -> None:
    names = {text.replace("/", "").replace("\0", "")[:60] or "x" for text in NAUGHTY}
    write_files(
        tmp_path,
        {f"operators/{os.fsdecode(name.encode('utf-8', 'surrogatepass'))}.yaml": operator_text() for name in names},
    )
    every_format(command, tmp_path, [])


def with_text(field: str, text: str) -> str:
    """Return an operator file with a text in one place, written as it is or with escapes, and a mistake beside it."""
    quoted = json.dumps(text)
    if field == "comment":
        return edited("port: 587", "prot: 587  # " + text.encode("utf-8", "replace").decode().replace("\n", " "))
    if field == "key":
        return edited("port: 587", f"{quoted}: 587")
    if field == "team":
        return f"{operator_text(server={'port': 465})}labels: {{team: {quoted}, {quoted}: a}}\n"
    sections = {"display_name": "sender", "host": "server", "username": "authentication", "password": "authentication"}
    shown = "value-in-question"
    text_ = operator_text(**({sections[field]: {field: shown}} if field in sections else {field: shown}))
    return edited(shown, quoted, text_.replace(f'"{shown}"', shown)).replace("port: 587", "prot: 587")


def every_format(command: Command, folder: Path, contents: Sequence[str | bytes]) -> set[str]:
    """Run the command once for all formats; every output is harmless, and is what its format is.

    Args:
        command: runs it.
        folder: where.
        contents: of operator files that are put there.

    Returns:
        The files with errors.
    """
    files = {f"operators/o{number}.yaml": content for number, content in enumerate(contents)}
    write_files(folder, {"opsmail.toml": SETTINGS, **files})
    places = {name: folder / f"out-{name}" for name in FORMATS}
    formats = (argument for name, place in places.items() for argument in ("--format", f"{name}:{place.name}"))
    survived(command("check", *formats, folder=folder), seconds=len(FORMATS) * SECONDS)
    outputs = {name: place.read_bytes().decode("utf-8") for name, place in places.items()}
    for output in outputs.values():
        assert_harmless(output)
    for name in ("sarif", "gitlab"):
        json.loads(outputs[name])
    expat.ParserCreate().Parse(outputs["junit"], True)
    findings = json.loads(outputs["json"])["findings"]
    return {finding["file"] for finding in findings if finding["severity"] == "error"}
