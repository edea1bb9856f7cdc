"""`check --watch`: what is watched, and what starts the check again; an acceptance test does it with a real process."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from opsmail.cli.watching import look, pause_after
from tests.builders import SETTINGS, operator_text, write_files
from tests.unit.cli.running import Check

Step = Callable[[Path], object]


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch, repository: Path) -> Callable[..., None]:
    """What happens during each pause between two looks; after the last, the user ends it."""

    def arrange(*actions: Step) -> None:
        waiting = list(actions)

        def sleep(seconds: float) -> None:
            assert seconds >= 0.3
            if not waiting:
                raise KeyboardInterrupt
            waiting.pop(0)(repository)

        monkeypatch.setattr("time.sleep", sleep)

    return arrange


def write(name: str, content: str) -> Step:
    return lambda root: write_files(root, {name: content})


def test_it_ends_when_the_user_says_so(check: Check, steps: Callable[..., None]) -> None:
    steps()
    assert check("--watch") == 130
    assert check.out == "no findings in 1 operator\n"
    assert check.err.split("\n") == ["watching; Ctrl-C ends it", "", "interrupted; nothing half-done is left", ""]


def test_it_checks_again_after_a_change_and_only_then(check: Check, steps: Callable[..., None]) -> None:
    steps(lambda _: None, write("operators/a/ti.yaml", "a: ["), lambda _: None)
    assert check("--watch", "--format", "concise") == 130
    (line,) = check.out.splitlines()  # a format that has nothing to say of a correct file
    assert line.startswith("operators/a/ti.yaml:1:1: error[OM002]")
    assert check.err.splitlines()[:3] == [
        "watching; Ctrl-C ends it",
        "--- changed: operators/a, operators/a/ti.yaml",
        "watching; Ctrl-C ends it",
    ]


@pytest.mark.parametrize(
    ("step", "changed"),
    [
        (write("opsmail.toml", f"{SETTINGS}\n"), "opsmail.toml"),
        (write("waivers.yaml", "[]\n"), "waivers.yaml"),
        (lambda root: os.utime(root / "operators/rh.yaml", ns=(1, 1)), "operators/rh.yaml"),
        (lambda root: (root / "operators/rh.yaml").unlink(), "operators/rh.yaml"),
        (lambda root: (root / "operators/rh.yaml").rename(root / "operators/a.yaml"), "operators/a.yaml, operators/rh"),
        (lambda root: (root / "operators").rename(root / "o"), "operators, operators/rh.yaml"),
        (
            lambda root: write_files(root, {f"operators/{number}.yaml": "" for number in range(5)}),
            "operators/0.yaml, operators/1.yaml, operators/2.yaml, …",
        ),
    ],
)
def test_what_starts_it_again(check: Check, steps: Callable[..., None], step: Step, changed: str) -> None:
    steps(step)
    assert check("--watch") == 130
    assert f"--- changed: {changed}" in check.err


def test_named_files_and_those_of_the_settings_are_watched(
    check: Check, steps: Callable[..., None], repository: Path
) -> None:
    key = '\n[[gate.keys]]\nfile = "keys/ci.pub.pem"\nkinds = ["generation"]\n'
    write_files(repository, {"opsmail.toml": SETTINGS + key, "keys/ci.pub.pem": "-", "other/x.yaml": operator_text()})
    steps(write("operators/rh.yaml", "a: ["), write("other/x.yaml", "a: ["), write("keys/ci.pub.pem", "--"))
    assert check("--watch", "other") == 130
    assert [line for line in check.err.splitlines() if line.startswith("---")] == [
        "--- changed: other/x.yaml",
        "--- changed: keys/ci.pub.pem",
    ]


def test_wrong_settings_do_not_end_it(check: Check, steps: Callable[..., None]) -> None:
    steps(
        write("opsmail.toml", "operators = "),
        write("operators/ti.yaml", operator_text(operator="ti", role="standard")),
        write("opsmail.toml", 'operators = "others"\n'),
        write("others/x.yaml", "a: ["),
    )
    assert check("--watch") == 130
    told = check.err.splitlines()
    assert told.count("watching; Ctrl-C ends it") == 5
    assert "error: opsmail.toml:1: not valid TOML: Invalid value" in told
    assert any(line.startswith("error: there is no folder `others`") for line in told)
    assert "--- changed: operators/ti.yaml" in told  # the folders of the settings before
    assert "OM002" in check.out


def test_settings_that_are_wrong_from_the_start(check: Check, steps: Callable[..., None], repository: Path) -> None:
    write_files(repository, {"opsmail.toml": "x"})
    steps(write("operators/rh.yaml", "a"), write("opsmail.toml", SETTINGS))
    assert check("--watch") == 130
    assert "OM004" in check.out


def test_a_terminal_is_cleared(check: Check, steps: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    steps(write("operators/rh.yaml", operator_text() + "\n"))
    assert check("--watch", "--color", "never") == 130
    line = "no findings in 1 operator\n"
    assert check.out == f"{line}\x1b[H\x1b[2J{line}"
    assert "---" not in check.err


@pytest.mark.parametrize("formats", [("text", "json:out.json"), ("json:out.json",)])
def test_what_nobody_can_look_at(check: Check, formats: tuple[str, ...]) -> None:
    assert check("--watch", *(word for name in formats for word in ("--format", name))) == 2
    assert check.err.startswith("error: --watch shows one format, on standard output\nhint: ")


@pytest.mark.parametrize("option", ["--write-baseline", "--fix", "--diff"])
def test_nothing_is_written_meanwhile(check: Check, option: str) -> None:
    assert check("--watch", option) == 2
    assert check.err.startswith("error: --watch only looks on\nhint: ")


def test_the_baseline_is_watched(check: Check, steps: Callable[..., None], repository: Path) -> None:
    write_files(repository, {"operators/rh.yaml": operator_text(sender={"address": "ti@empresa.com.br"})})
    assert check("--write-baseline", "--baseline", "known.json") == 0
    steps(write("known.json", "{"), lambda root: (root / "known.json").unlink())
    assert check("--watch", "--baseline", "known.json") == 2
    assert "--- changed: known.json\nerror: known.json" in check.err  # somebody edits it
    assert "--- changed: known.json\nerror: there is no baseline known.json\n" in check.err


def test_wrong_options_end_it_at_once(check: Check) -> None:
    assert check("--watch", "--select", "OM999") == 2
    assert check("--watch", "") == 2


def test_what_cannot_be_looked_at_is_left_to_the_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_files(tmp_path, {"a/b/c": "", "d": ""})
    before = look(tmp_path, ("a", "d", "nothing", "x\0y"))
    assert sorted(before) == ["a", "a/b", "a/b/c", "d"]

    def closed(path: Path) -> object:
        raise PermissionError(path)

    monkeypatch.setattr("os.scandir", closed)
    assert sorted(look(tmp_path, ("a", "d"))) == ["a", "d"]


def test_looking_takes_a_fiftieth_of_the_time_at_most() -> None:
    assert pause_after(0) == pause_after(0.006) == 0.3
    assert pause_after(0.1) == 5
