"""Every reply of the table, said by a server in its own words, is diagnosed by a whole live test."""

from __future__ import annotations

from typing import Any

import pytest

from opsmail.live.result import Outcome, TestResult
from opsmail.mail.diagnosis import Fault
from tests.diagnoses import ENTRIES, examples
from tests.unit.fleets import HOST, operator
from tests.unit.live.running import catalogue, run
from tests.unit.servers import server

REPLIES = [(entry, example) for entry in ENTRIES for example in examples(entry) if "reply" in example]


def result_of(example: dict[str, Any]) -> TestResult:
    host = example.get("host", HOST)
    asked: dict[str, Any] = {"server": {"host": host}}
    if example.get("encryption") == "none":
        asked = {"server": {"host": host, "port": 25, "encryption": "none"}, "authentication": {"type": "none"}}
    with server({example["command"]: f"{example['reply']}\r\n".encode()}, hosts=(host,)) as running:
        (result,) = run(catalogue(running, host=host), operator("rh", **asked)).values()
    return result


@pytest.mark.parametrize(
    ("entry", "example"), REPLIES, ids=[f"{entry['rule']}-{example['reply'][:40]}" for entry, example in REPLIES]
)
def test_a_reply_is_found_to_be_what_the_table_says(entry: dict[str, Any], example: dict[str, Any]) -> None:
    result = result_of(example)
    failure = result.failure
    assert failure is not None
    assert failure.reply is not None
    assert str(failure.reply) == example["reply"]
    assert failure.stage == example["stage"]
    diagnosis = failure.diagnosis
    assert (diagnosis.rule_id, diagnosis.path, diagnosis.fault) == (entry["rule"], entry["path"], entry["fault"])
    for text, template in ((diagnosis.cause, entry["cause"]), (diagnosis.remedy, entry["remedy"])):
        assert text.template == template
        assert "{" not in str(text)
    conclusive = Fault(entry["fault"]).conclusive
    assert result.outcome is (Outcome.FAILED if conclusive else Outcome.INCONCLUSIVE)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [("559 \x1b[31m|::error::| no", Outcome.FAILED), ("459 \u202e later", Outcome.INCONCLUSIVE)],
)
def test_an_unknown_reply_is_shown_as_it_is_and_classed_by_its_code(reply: str, outcome: Outcome) -> None:
    result = result_of({"stage": "send", "command": "content", "reply": reply})
    assert result.outcome is outcome
    assert result.failure is not None
    assert result.failure.diagnosis.rule_id == "OM939"
    assert reply[:3] in str(result.failure.diagnosis.cause)
    shown = str(result.failure.reply)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
