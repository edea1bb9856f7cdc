"""What the form does with files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from opsmail.errors import RefusedError
from opsmail.evidence.facts import Depth
from opsmail.live.result import Outcome, StageResult, TestResult
from opsmail.mail.failure import Stage
from opsmail.operator.model import Operator
from tests.builders import operator_text, write_files
from tests.unit.form.serving import RH, editor_of


def entered(root: Path, **values: str | bool) -> dict[str, str | bool]:
    shown = editor_of(root).show(RH)
    return {**shown.values, **{name.replace("__", "."): value for name, value in values.items()}}


def test_it_shows_a_file_with_its_findings(tmp_path: Path) -> None:
    editor = editor_of(tmp_path)
    assert list(editor.paths()) == [RH]
    shown = editor.show(RH)
    assert (shown.values["server.host"], shown.values["server.port"]) == ("smtp.empresa.com.br", "587")
    assert shown.findings == ()


def test_a_draft_is_checked_and_compared_and_nothing_is_written(tmp_path: Path) -> None:
    editor = editor_of(tmp_path)
    before = (tmp_path / RH).read_bytes()
    draft = editor.draft(RH, entered(tmp_path, server__port="465"))
    assert "OM201" in [finding.rule.id for finding in draft.findings]
    assert [line.text for line in draft.difference if line.sign != " "] == ["  port: 587", "  port: 465"]
    assert (tmp_path / RH).read_bytes() == before
    assert editor.draft(RH, entered(tmp_path)).difference == ()


def test_saving_changes_what_was_changed(tmp_path: Path) -> None:
    editor = editor_of(tmp_path)
    (tmp_path / RH).chmod(0o640)
    shown = editor.show(RH)
    saved = editor.save(RH, {**shown.values, "sender.display_name": "RH"}, shown.state)
    text = (tmp_path / RH).read_text("utf-8")
    assert text.startswith("# Human resources\n")
    assert "  display_name: RH\n" in text
    assert (tmp_path / RH).stat().st_mode & 0o777 == 0o640
    assert (saved.values["sender.display_name"], saved.state != shown.state) == ("RH", True)


def test_what_somebody_else_changed_meanwhile_is_left_alone(tmp_path: Path) -> None:
    editor = editor_of(tmp_path)
    shown = editor.show(RH)
    (tmp_path / RH).write_text(operator_text(name="X"), "utf-8")
    with pytest.raises(RefusedError, match="has changed since it was read"):
        editor.save(RH, shown.values, shown.state)


@pytest.mark.parametrize(
    "values",
    [{"authentication__password": "s3nh4-Forte!"}, {"name": "password: s3nh4-Forte!9"}],
)
def test_a_secret_is_not_written(tmp_path: Path, values: dict[str, str]) -> None:
    editor = editor_of(tmp_path)
    shown = editor.show(RH)
    with pytest.raises(RefusedError, match="looks like a password"):
        editor.save(RH, entered(tmp_path, **values), shown.state)
    draft = editor.draft(RH, entered(tmp_path, **values))
    assert "s3nh4" not in "".join(line.text for line in draft.difference)
    assert "s3nh4" not in (tmp_path / RH).read_text("utf-8")


def test_a_new_operator(tmp_path: Path) -> None:
    editor = editor_of(tmp_path)
    values = {**entered(tmp_path), "operator": "billing", "role": "standard"}
    saved = editor.save(None, values, "")
    assert saved.path == "operators/billing.yaml"
    assert list(editor.paths()) == ["operators/billing.yaml", RH]
    with pytest.raises(RefusedError, match="exists already"):
        editor.save(None, values, "")


@pytest.mark.parametrize("name", ["", "../x", "RH", "a/b", "x" * 64])
def test_a_new_operator_needs_a_name_that_a_file_can_have(tmp_path: Path, name: str) -> None:
    with pytest.raises(RefusedError, match="needs an id"):
        editor_of(tmp_path).save(None, {**entered(tmp_path), "operator": name}, "")


@pytest.mark.parametrize("path", ["opsmail.toml", "../x.yaml", "/etc/passwd", "operators/none.yaml", "", "operators"])
def test_no_other_file_is_shown_or_written(tmp_path: Path, path: str) -> None:
    editor = editor_of(tmp_path)
    with pytest.raises(RefusedError, match="there is no operator file"):
        editor.show(path)
    if path:
        with pytest.raises(RefusedError, match="there is no operator file"):
            editor.save(path, entered(tmp_path), "")


def test_what_cannot_be_shown_says_what_to_do(tmp_path: Path) -> None:
    editor = editor_of(tmp_path)
    write_files(tmp_path, {"operators/x.yaml": "a: ["})
    with pytest.raises(RefusedError, match="cannot be shown in a form"):
        editor.show("operators/x.yaml")
    with pytest.raises(RefusedError, match="cannot be read"):
        editor.draft("operators/x.yaml", {})
    (tmp_path / "operators/link.yaml").symlink_to(tmp_path / RH)
    with pytest.raises(RefusedError, match="link"):
        editor.show("operators/link.yaml")


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    editor = editor_of(tmp_path)
    values = {**entered(tmp_path), "operator": "billing"}
    (tmp_path / RH).unlink()
    (tmp_path / "operators").rmdir()
    (tmp_path / "operators").symlink_to("/proc/self")
    with pytest.raises(RefusedError, match="cannot be written"):
        editor.save(None, values, "")


def test_test_messages(tmp_path: Path) -> None:
    sent = []
    watched: list[StageResult] = []

    def send(operator: Operator, watch: Callable[[StageResult], None]) -> TestResult:
        sent.append(operator.operator)
        watch(StageResult(Stage.RESOLVE, Outcome.PASSED, 7))
        return TestResult(operator.operator, "sha256:" + "ab" * 32, Outcome.PASSED, Depth.SEND)

    with pytest.raises(RefusedError, match="switched off"):
        editor_of(tmp_path).test(RH, watched.append)
    editor = editor_of(tmp_path, send)
    assert editor.test(RH, watched.append).outcome is Outcome.PASSED
    assert [stage.stage for stage in watched] == [Stage.RESOLVE]
    (tmp_path / RH).write_text(operator_text(server={"port": 465}), "utf-8")
    with pytest.raises(RefusedError, match="it has errors"):
        editor.test(RH, watched.append)
    assert sent == ["rh"]
