import time

import pytest

from opsmail.settings.toml import FieldLines

TEXT = """\
# opsmail.toml
operators = "operators"  # line 2

[policy]
severity = { OM502 = "error" }
"quoted key" = 1
# commented = 1

[[servers]]
host = "a"
connections = [
  "587/starttls",
]

[[servers]]  # the second
host = "b"

[gate]
max_age = "7d"
[[gate.keys]]
file = "a.pem"
[[gate.keys]]
file = "b.pem"

[environments.production.store]
url = "x"
[[environments.production.servers]]
host = "c"
[servers.extra]
deep = 1
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("operators", 2),
        ("policy", 4),
        ("policy.severity", 5),
        ("policy.severity.OM502", 5),
        ("policy.quoted key", 6),
        ("policy.commented", 4),
        ("servers.0", 9),
        ("servers.0.host", 10),
        ("servers.0.connections.0", 11),
        ("servers.1", 15),
        ("servers.1.host", 16),
        ("servers.1.missing", 15),
        ("servers.1.extra.deep", 30),
        ("gate.keys.1.file", 23),
        ("gate.keys.2.file", 18),
        ("environments.production.store.url", 26),
        ("environments.production.servers.0.host", 28),
        ("nothing.at.all", 1),
        ("", 1),
    ],
)
def test_where_a_field_is_set(path: str, line: int) -> None:
    assert FieldLines(TEXT).line(path) == line


@pytest.mark.parametrize(
    ("path", "line"), [("servers.0.host", 28), ("servers.1.host", 16), ("store.url", 26), ("x", 1)]
)
def test_an_overlay_is_looked_at_first(path: str, line: int) -> None:
    assert FieldLines(TEXT).line(path, "environments.production") == line


@pytest.mark.parametrize(
    "text", ["[" + " " * 300_000 + "x", "a." * 150_000, "[" * 300_000, "=" * 300_000, "[[a]]\n" * 50_000]
)
def test_a_hostile_file_takes_time_in_proportion_to_its_size(text: str) -> None:
    started = time.process_time()
    FieldLines(text).line("a.b")
    assert time.process_time() - started < 3


@pytest.mark.parametrize("quotes", ['"""', "'''"])
def test_a_text_of_several_lines_is_no_table(quotes: str) -> None:
    lines = FieldLines(
        f"[a]\nfirst = {quotes}\nlast = 'not this one'\n[b]\n{quotes}\nsecond = {quotes}one line{quotes} # {quotes}\n"
        f"# x = {quotes}\nthird = 'x = {quotes}'\nlast = 1\n"
    )
    assert [lines.line(path) for path in ("a.first", "a.second", "a.third", "a.last", "b")] == [2, 6, 8, 9, 1]
