"""The vectors are those of github/codeql-action, src/fingerprints.test.ts."""

from __future__ import annotations

import time

import pytest

from opsmail.output.findings.line_hash import WINDOW, line_hashes


def hashes(text: str) -> list[str]:
    count = len(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"))
    found = line_hashes(text, range(1, count + 2))
    assert list(found) == list(range(1, count + 1))
    return [item.value for item in found.values()]


GREETINGS = [
    "e9496ae3ebfced30:1",
    "fb7c023a8b9ccb3f:1",
    "ce8ba1a563dcdaca:1",
    "e20e36e16fcb0cc8:1",
    "b3edc88f2938467e:1",
    "c8e28b0b4002a3a0:1",
    "c129715d7a2bc9a3:1",
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["c129715d7a2bc9a3:1"]),
        (
            " a\nb\n  \t\tc\n d",
            ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"],
        ),
        (
            " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End",
            [
                "8b7cf3e952e7aeb2:1",
                "b1ae1287ec4718d9:1",
                "bff680108adb0fcc:1",
                "c6805c5e1288b612:1",
                "b86d3392aea1be30:1",
                "e6ceba753e1a442:1",
            ],
        ),
        (" hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n", GREETINGS),
        (" hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r", GREETINGS),
        (" hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n", GREETINGS),
        (" hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n", GREETINGS),
        (
            "Lorem ipsum dolor sit amet.\n" * 10,
            [
                *(f"a7f2ff13bc495cf2:{number}" for number in range(1, 7)),
                "a7f2ff1481e87703:1",
                "a9cf91f7bbf1862b:1",
                "55ec222b86bcae53:1",
                "cc97dc7b1d7d8f7b:1",
                "c129715d7a2bc9a3:1",
            ],
        ),
        (
            "x = 2\nx = 1\nprint(x)\nx = 3\nprint(x)\nx = 4\nprint(x)\n",
            [
                "e54938cc54b302f1:1",
                "bb609acbe9138d60:1",
                "1131fd5871777f34:1",
                "5c482a0f8b35ea28:1",
                "54517377da7028d2:1",
                "2c644846cb18d53e:1",
                "f1b89f20de0d133:1",
                "c129715d7a2bc9a3:1",
            ],
        ),
    ],
)
def test_known_vectors(text: str, expected: list[str]) -> None:
    assert hashes(text) == expected


def test_a_character_outside_the_basic_plane_is_two_units() -> None:
    # As JavaScript's charCodeAt sees it: U+1F389 is the units D83C and DF89.
    assert hashes("\U0001f389") == hashes("\ud83c\udf89")
    assert hashes("\U0001f389") != hashes("\uf389")


def test_only_the_lines_that_are_asked_for() -> None:
    text = "same\n" * 60 + "end"
    everything = line_hashes(text, range(1, 62))
    assert line_hashes(text, {2, 40, 99}) == {2: everything[2], 40: everything[40]}
    assert everything[40].value.endswith(":40")
    assert line_hashes(text, ()) == {}


def test_what_lines_a_hash_tells_of() -> None:
    text = f"{'a' * 50}\n{'b' * 48}\nc\nd"
    # 51 + 49 units make a window exactly; one unit less and a part of the next line is in it.
    assert line_hashes(text, {1})[1].last == 2
    assert line_hashes(text.replace("b", "", 1), {1})[1].last == 3
    assert line_hashes(text, {3})[3].last == 4
    assert line_hashes("a" * WINDOW, {1})[1].last == 1


def test_the_largest_file_is_hashed_at_once() -> None:
    start = time.process_time()
    line_hashes("\n" * 262_144, {262_144})
    assert time.process_time() - start < 5
