"""Files that Hypothesis makes up: any bytes, pieces of YAML in any order, correct files with something changed."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.builders import SETTINGS, operator_text

# What YAML makes something of, so that more than its scanner is met.
_SIGNS = [*"[]{},:?-#&*!|>'\"%@`~<=\\ \t\n\r"]
_SYNTAX = ["- ", ": ", "\n  ", "\n    ", "---\n", "...\n", "<<: ", "&a ", "*a", "!!str ", "!a ", "%YAML 1.2\n", "? "]
_BLOCKS = ["|\n", ">-\n", "|2+\n", "''", '""', " #", "{a: ", "[[", "]]", "}}"]
_ESCAPES = ["\\x00", "\\u202e", "\\ud800", "\\U0010ffff", "\\N", "\\L", "\\_", "\\\n", "\\e[31m", "\\q"]
_SEPARATORS = ["\ufeff", "\u2028", "\u2029", "\x85", "\xa0", "\u3000", "\r\n", "\x00", "\x1b[31m", "\u202e", "\ufe0f"]
_WORDS = [
    "version",
    "operator",
    "server:\n  port: ",
    "authentication:\n  password: ",
    "labels: {",
    "rh",
    "env://A",
    "é",
]
_VALUES = [
    "587",
    "0587",
    "0x24B",
    "1_0",
    "1:30",
    "1e3",
    ".nan",
    "-.inf",
    "9" * 19,
    "null",
    "~",
    "true",
    "no",
    "2027-05-01",
]
_WIDE = ["\U0001f600", "e\u0301", "\u0430", "\u3002", "\uff53", "::error::", "##vso[x]"]

PIECES = st.sampled_from(
    _SIGNS + _SYNTAX + _BLOCKS + _ESCAPES + _SEPARATORS + _WORDS + _VALUES + _WIDE
) | st.characters(codec="utf-8")
SOUPS = st.lists(PIECES, max_size=60).map("".join)

#: Correct operator files in several forms.
GOOD = (
    operator_text(),
    operator_text(name="Ação", sender={"display_name": "RH 🎉"}, labels={"team": "rh", "site": "são-paulo"}),
    operator_text(limits={"messages_per_minute": 30}, enabled=True, role="standard"),
    "# a comment\n" + operator_text().replace("\n", "  # another\n", 1) + "labels: {a: 'b', \"c\": d}\n",
    operator_text().replace("\n", "\r\n"),
)
_LEAVES = st.sampled_from(_VALUES) | st.none() | st.booleans() | st.integers() | st.text(max_size=8)


@st.composite
def mutants(draw: st.DrawFn, sources: tuple[str, ...] = GOOD) -> str:
    """Return a correct file whose lines were deleted, doubled, swapped, moved to the side, or given other values."""
    lines = draw(st.sampled_from(sources)).splitlines(keepends=True)
    for _ in range(draw(st.integers(1, 3))):
        place, other = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
        line = lines[place]
        change = draw(st.sampled_from(("delete", "double", "swap", "indent", "outdent", "value", "splice")))
        if change == "delete":
            lines[place] = ""
        elif change == "double":
            lines[place] = line * 2
        elif change == "swap":
            lines[place], lines[other] = lines[other], line
        elif change == "indent":
            lines[place] = draw(st.sampled_from((" ", "  ", "\t", "- "))) + line
        elif change == "outdent":
            lines[place] = line.lstrip()
        elif change == "value":
            lines[place] = f"{line.partition(':')[0]}: {draw(_LEAVES)}\n"
        else:
            cut = draw(st.integers(0, len(line)))
            lines[place] = line[:cut] + draw(SOUPS) + line[draw(st.integers(cut, len(line))) :]
    return "".join(lines)


WAIVER = """\
- operator: rh
  rule: OM502
  path: sender.address
  reason: alias registered on the server
  approved_by: ti@empresa.com.br
  expires: 2026-12-31
"""
_TOML = st.sampled_from(
    ["[", "[[", "]", "]]", "=", '"', "'''", '"""', "\n", ".", "{", "}", ",", "#", "\\u0000", "\\ud800", "1_0", "inf"]
    + ["nan", "0x1", "2027-01-01", "true", "servers", "operators", "policy", "a.b.c", "[servers.x]\n", "\u2028", "\x00"]
)
TOML_SOUPS = st.lists(_TOML | st.characters(codec="utf-8"), max_size=40).map("".join)
SETTINGS_MUTANTS = mutants((SETTINGS,)) | st.builds(
    lambda cut, soup: SETTINGS[:cut] + soup + SETTINGS[cut:], st.integers(0, len(SETTINGS)), TOML_SOUPS
)

#: Names of files and folders: anything that a Linux file system takes.
NAMES = (
    st.sampled_from(
        ["rh.yaml", "a", "x.yml", ".gitkeep", ".git", "-rf.yaml", "::error::", "a\nb.yaml", "..%2f", "A.YAML"]
    )
    | st.binary(min_size=1, max_size=20).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
).filter(lambda name: name not in (".", "..") and "/" not in name and "\0" not in name)
