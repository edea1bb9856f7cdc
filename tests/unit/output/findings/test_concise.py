from __future__ import annotations

from inline_snapshot import external_file

from tests.unit.output.findings.reports import RICH, render


def test_one_line_for_each_finding() -> None:
    assert render("concise", RICH) == external_file("golden/concise.txt")


def test_the_severity_is_painted() -> None:
    first = render("concise", RICH, color=True).partition("\n")[0]
    assert first.startswith("operators/rh.yaml:5:9: \x1b[1;31merror[OM201]\x1b[0m port 465")
