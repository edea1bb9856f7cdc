"""The lines that change, as they may be shown."""

from __future__ import annotations

from opsmail.check.fixing.difference import DifferenceLine, Hunk, difference
from opsmail.check.fixing.rounds import FixedFile
from tests.builders import SCHEMES, operator_text


def shown(before: str, after: str, path: str = "operators/rh.yaml") -> tuple[Hunk, ...]:
    result = difference(FixedFile(path, before.encode(), after.encode(), 1), SCHEMES)
    assert result.path == path
    return result.hunks


def lines(before: str, after: str, path: str = "operators/rh.yaml") -> list[str]:
    return [f"{line.sign}{line.text}" for hunk in shown(before, after, path) for line in hunk.lines]


TEXT = operator_text()


def test_three_lines_around_a_change() -> None:
    (hunk,) = shown(TEXT.replace("587", '"587"'), TEXT)
    assert (hunk.before, hunk.after) == ((5, 7), (5, 7))
    assert hunk.lines[3:5] == (DifferenceLine("-", '  port: "587"'), DifferenceLine("+", "  port: 587"))
    assert [line.sign for line in hunk.lines] == [" ", " ", " ", "-", "+", " ", " ", " "]


def test_changes_far_apart_are_two_hunks() -> None:
    before = TEXT.replace("version: 1", 'version: "1"').replace("username", "usernme")
    first, second = shown(before, TEXT)
    assert (first.before, second.before) == ((1, 4), (9, 5))


def test_secrets_and_comments_are_not_shown() -> None:
    before = TEXT.replace('"env://OPSMAIL_SECRET_RH"', "hunter2").replace("port: 587", "port: '587'  # hunter2")
    before = f"# hunter2\n{before}  # hunter2\n".replace("version: 1", "version: '1'").replace("basic", "Basic")
    after = before.replace("'1'", "1").replace("'587'", "587").replace("Basic", "basic")
    text = "\n".join(lines(before, after))
    assert "hunter2" not in text
    assert "\n   password: ****" in text
    assert "-  port: '587'  # …\n+  port: 587  # …" in text
    assert text.startswith(" # …\n-version: '1'\n+version: 1\n")
    assert text.endswith("\n   # …")


def test_a_value_under_its_right_name_stays_masked() -> None:
    before = TEXT.replace("role: master", "'nome':  hunter2  # x").replace("server:", "servr:")
    shown = lines(before, before.replace("nome", "name").replace("servr:", "server:"))
    assert "-'nome':  ****" in shown
    assert "+'name':  ****" in shown
    assert "   ****" in shown
    one = "sender: {adress: hunter2, nome: hunter3}\n"
    after = one.replace("adress", "address")
    assert lines(one, after) == ["-sender: {adress: ****", "+sender: {address: ****"]
    # Two lines become one, and what is masked earlier stays so.
    two = "- reason: senha=hunter2\n- operator: hunter2\n"
    assert lines(two, "- hunter2: senha=hunter2\n", "waivers.yaml")[-1] == "+- ****"


def test_a_line_without_end_is_cut() -> None:
    long = TEXT.replace("role: master", f"role: master\nlabels: {{a: {'x ' * 600}}}")
    assert [line for line in lines(long.replace("587", "'587'"), long) if len(line) > 1100] == []


def test_the_end_of_the_line_does_not_differ() -> None:
    before = TEXT.replace("587", "'587'").replace("\n", "\r\n").removesuffix("\r\n")
    assert lines(before, before.replace("'587'", "587"))[3:5] == ["-  port: '587'", "+  port: 587"]


def test_a_byte_order_mark() -> None:
    assert lines(f"\ufeff{TEXT}", TEXT)[:2] == ["-\ufeffversion: 1", "+version: 1"]


def test_waivers() -> None:
    entry = "- operator: rh\n  reason: r # c\n"
    (hunk,) = shown(f"# TI\n\n{entry}", "# TI\n", "waivers.yaml")
    assert [f"{line.sign}{line.text}" for line in hunk.lines] == [" # …", "-", "-- operator: rh", "-  reason: r # …"]
    (hunk,) = shown(entry, "", "waivers.yaml")
    assert (hunk.before, hunk.after) == ((1, 2), (1, 1))
