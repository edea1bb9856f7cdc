"""Known findings: what is in the file, what it mutes, and that it only shrinks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from opsmail.check.baseline import MAX_BYTES, MAX_ENTRIES, SCHEMA, Baseline, BaselineError
from opsmail.findings import FIRST_CHARACTER, Finding, Identity, RuleMeta, Severity, Waiver
from opsmail.messages import msg

SENDER = Identity("OM502", "rh", None, "sender.address")
PORT = Identity("OM202", "rh", None, "server.port")
UNREAD = Identity("OM101", None, "operators/Ã.yaml", "")


def finding(identity: Identity = SENDER, *, waived: bool = False) -> Finding:
    return Finding(
        rule=RuleMeta(identity.rule, "x", Severity.WARNING),
        severity=Severity.WARNING,
        file=identity.file or "operators/rh.yaml",
        span=FIRST_CHARACTER,
        message=msg("x"),
        operator=identity.operator,
        path=identity.path,
        waived=Waiver("x", "ti", "2026-12-31") if waived else None,
    )


def is_unwaivable(rule: str) -> bool:
    return rule == "OM209"


def never(rule: str) -> bool:
    return False


def document(*entries: Mapping[str, Any], **more: Any) -> bytes:
    return json.dumps({"schema": SCHEMA, "findings": entries, **more}).encode()


ENTRY = {"rule": "OM502", "operator": "rh", "path": "sender.address"}


class TestFile:
    def test_it_is_read_as_it_was_written(self) -> None:
        baseline = Baseline({SENDER: 1, PORT: 3, UNREAD: 1})
        assert Baseline.parse(baseline.render().encode(), "b.json") == baseline
        assert len(baseline) == 5

    def test_it_is_sorted_and_has_one_finding_a_line(self) -> None:
        assert Baseline({SENDER: 1, PORT: 3, UNREAD: 1}).render() == (
            "{\n"
            '  "schema": "opsmail/baseline/v1",\n'
            '  "findings": [\n'
            '    {"rule": "OM101", "file": "operators/\\u00c3.yaml"},\n'
            '    {"rule": "OM202", "operator": "rh", "path": "server.port", "count": 3},\n'
            '    {"rule": "OM502", "operator": "rh", "path": "sender.address"}\n'
            "  ]\n"
            "}\n"
        )
        assert Baseline({}).render() == '{\n  "schema": "opsmail/baseline/v1",\n  "findings": []\n}\n'

    @pytest.mark.parametrize(
        ("content", "reason"),
        [
            (b"", "it is not JSON in UTF-8"),
            (b"\xff", "it is not JSON in UTF-8"),
            (b"[" * 100_000, "it is not JSON in UTF-8"),
            (b'{"schema": ' + b"1" * 5000 + b"}", "it is not JSON in UTF-8"),
            (b"[]", f'it does not say `"schema": "{SCHEMA}"`'),
            (b'{"schema": "opsmail/findings/v1", "findings": []}', f'it does not say `"schema": "{SCHEMA}"`'),
            (b'{"schema": "a", "schema": "opsmail/baseline/v1", "findings": []}', "it has a key twice"),
            (document(more=1), "`more`: unknown field `more`"),
            (document(**{"x" * 2_000_000: 1}), f"`{'x' * 60}…`: "),
            (document({**ENTRY, "count": 0}), "`findings.0.count`: "),
            (document({**ENTRY, "count": True}), "`findings.0.count`: "),
            (document({**ENTRY, "rule": 5}), "`findings.0.rule`: "),
            (document({**ENTRY, "line": 5}), "`findings.0.line`: unknown field `line`"),
            (document({"rule": "OM502"}), "`findings.0`: either `operator` or `file` belongs there"),
            (document({**ENTRY, "file": "x"}), "`findings.0`: either `operator` or `file` belongs there"),
            (document(ENTRY, ENTRY), "`findings.1` stands there twice"),
            (b" " * (MAX_BYTES + 1), "it has more than 4194304 bytes"),
            (document(*[{}] * (MAX_ENTRIES + 1)), "it has more than 50000 entries"),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_what_is_none_is_refused_in_one_sentence(self, content: bytes, reason: str) -> None:
        with pytest.raises(BaselineError) as caught:
            Baseline.parse(content, "b.json")
        assert str(caught.value).startswith(f"b.json is not a baseline: {reason}")
        assert len(str(caught.value)) < 300
        assert caught.value.hint is not None

    def test_what_could_not_be_read_again_is_not_written(self) -> None:
        Baseline({SENDER: 1}).require_bounds("b.json")
        many = Baseline({Identity("OM502", f"op{number}", None, ""): 1 for number in range(MAX_ENTRIES + 1)})
        long = Baseline({Identity("OM101", "rh", None, "x" * MAX_BYTES): 1})
        for baseline in (many, long):
            with pytest.raises(BaselineError, match=r"too many findings for b\.json"):
                baseline.require_bounds("b.json")


class TestContent:
    def test_what_is_muted_otherwise_or_may_not_be_is_not_taken_in(self) -> None:
        findings = [finding(), finding(), finding(PORT, waived=True), finding(Identity("OM209", "rh", None, "x"))]
        assert Baseline.of(findings, is_unwaivable) == Baseline({SENDER: 2})

    def test_so_many_are_muted_as_are_known(self) -> None:
        findings = [finding(), finding(PORT), finding(), finding()]
        assert Baseline({SENDER: 2}).unknown(findings, never) == [findings[1], findings[3]]

    def test_a_waived_finding_is_not_muted_again(self) -> None:
        findings = [finding(waived=True), finding()]
        assert Baseline({SENDER: 1}).unknown(findings, never) == [findings[0]]

    def test_what_somebody_wrote_by_hand_does_not_count(self) -> None:
        server = Identity("OM209", "rh", None, "server.host")
        baseline = Baseline({SENDER: 1, server: 1})
        assert baseline.unwaivable(is_unwaivable) == Baseline({server: 1})
        assert baseline.unknown([finding(), finding(server)], is_unwaivable) == [finding(server)]

    def test_it_shrinks_and_never_grows(self) -> None:
        assert Baseline({SENDER: 2, PORT: 1}).within(Baseline({SENDER: 1, UNREAD: 1})) == Baseline({SENDER: 1})
        assert Baseline({SENDER: 1}).within(Baseline({SENDER: 2})) == Baseline({SENDER: 1})

    def test_what_another_one_lacks(self) -> None:
        assert Baseline({SENDER: 3, PORT: 1}).without(Baseline({SENDER: 1, PORT: 2})) == Baseline({SENDER: 2})
