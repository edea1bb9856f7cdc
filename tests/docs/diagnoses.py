"""The page of everything that live tests know: what is seen, what it means, what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from opsmail.mail.diagnosis import ReplyTable
from opsmail.mail.rules import LIVE_RULES
from opsmail.messages import Message
from tests.diagnoses import ENTRIES, examples, failure

PAGE = Path("docs", "diagnoses.md")
_INTRODUCTION = """\
# Diagnoses

What `opsmail test` makes of what a server or an identity provider says, and of what is seen from outside. The first row
that fits decides, so special ones stand before general ones; the last ones fit everything. Each reply here is said by
a server to a whole live test in the tests, which has to find what stands beside it. `opsmail rule OM913` tells more.

The words are those of the sources, with names and addresses of nobody. *From experience* marks what no vendor or
standard tells. A failure of the kinds `configuration` and `provider` makes a test failed, of `transient` and
`environment` inconclusive.
"""
_HEAD = ("what is seen", "finding", "cause", "remedy", "to change", "whose fault", "source")


def page() -> str:
    """Return the page, from the data that opsmail itself reads."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    yield _row(_HEAD)
    yield _row(["---"] * len(_HEAD))
    table = ReplyTable.load()
    for entry in ENTRIES:
        for number, example in enumerate(examples(entry)):
            yield _row(_cells(table, entry, example, again=number > 0))
    yield ""


def _cells(table: ReplyTable, entry: Mapping[str, Any], example: Mapping[str, Any], *, again: bool) -> list[str]:
    diagnosis = table.diagnose(*failure(example))
    rule = LIVE_RULES[diagnosis.rule_id]
    told = ["", ""] if again else [_plain(diagnosis.cause), _plain(diagnosis.remedy)]
    change = f"`{diagnosis.path}`" if diagnosis.path else ""
    experience = {**entry, **example}.get("confidence") == "community"
    source = example.get("source", entry["source"])
    return [
        _seen(example),
        f"{rule.id} {rule.name}",
        *told,
        change,
        diagnosis.fault.value,
        f"{source} (*from experience*)" if experience else source,
    ]


def _seen(example: Mapping[str, Any]) -> str:
    """Return a reply with the server that gave it, or the way of failing with its stage."""
    if "reply" in example:
        host = f" from `{example['host']}`" if "host" in example else ""
        fence = "``" if "`" in example["reply"] else "`"
        return f"{fence}{example['reply']}{fence}{host}"
    kind = f"{example['stage']}: {example['kind']}"
    if example.get("outcome_unknown"):
        kind += ", after the message was handed over"
    if "encryption" in example:
        kind += f", `{example['encryption']}`"
    if "address" in example:
        kind += f", at the catalogue's `{example['address']}`"
    numbers = "".join(f" AADSTS{number}" for number in example.get("hints", ()))
    return f"{kind} `{example['error']}`{numbers}" if "error" in example else kind


def _plain(message: Message) -> str:
    """Return a text without the reply, which stands beside it, and without what only a real failure can tell."""
    template = (
        message.template.replace(": {reply}", "").replace(": {detail}", "").replace("{detail}", "(what was seen)")
    )
    return str(Message(template, message.arguments))


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), "utf-8")
