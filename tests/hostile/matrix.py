"""What comes of every fault at every step of a live test: a table that is tested, and a page that is committed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

from opsmail.mail.diagnosis import ReplyTable
from opsmail.mail.endpoint import Endpoint
from opsmail.mail.failure import Stage, StageError
from opsmail.mail.rules import LIVE_RULES
from tests.hostile.peer import Script

PAGE = Path("docs", "live-faults.md")

#: The step of the conversation, and the stage that it belongs to; the first is not the mail server's doing.
STAGE_OF = {
    "lookup": Stage.RESOLVE,
    "banner": Stage.CONNECT,
    "EHLO": Stage.CONNECT,
    "STARTTLS": Stage.TLS,
    "handshake": Stage.TLS,
    "EHLO-TLS": Stage.TLS,
    "handshake at once": Stage.TLS,
    "banner in TLS": Stage.TLS,
    "EHLO in TLS": Stage.TLS,
    "token": Stage.TOKEN,
    "AUTH": Stage.AUTHENTICATE,
    "MAIL": Stage.ENVELOPE,
    "RCPT": Stage.ENVELOPE,
    "DATA": Stage.SEND,
    "content": Stage.SEND,
    "mailbox handshake": Stage.RECEIPT,
    "mailbox greeting": Stage.RECEIPT,
    "CAPABILITY": Stage.RECEIPT,
    "AUTHENTICATE": Stage.RECEIPT,
    "mailbox login": Stage.RECEIPT,
    "EXAMINE": Stage.RECEIPT,
    "NOOP": Stage.RECEIPT,
    "SEARCH": Stage.RECEIPT,
    "FETCH": Stage.RECEIPT,
}
#: What a peer does instead of answering.
FAULTS: Mapping[str, Script] = {
    "silence": lambda c: c.hold(),
    "slow drip": lambda c: c.drip(b"250-" + b"x" * 100),
    "close": lambda c: c.close(),
    "reset": lambda c: c.reset(),
    "garbage": lambda c: c.say(b"\x80\xff garbage\x1b[31m\r\n"),
    "endless": lambda c: c.flood(b"250-" + b"x" * 990 + b"\r\n"),
    "endless line": lambda c: c.flood(b"2" * 4096),
    "changing code": lambda c: c.say(b"250-yes\r\n550 no\r\n"),
    "wrong code": lambda c: c.say(b"211 what\r\n"),
}
# The verdict is the rule's number, with `!` where the test failed and `?` where it is inconclusive. `/` stands between
# those of which either may come: it depends on when the bytes arrive. `-` is what that peer cannot do.
_VERDICTS = """
    lookup: 904? - 901? 901? 901! 902! - - 901!
    banner: 904? 904? 935? 935? 905! 905! 905! 905! 934!
    EHLO: 904? 904? 935? 935? 934! 934! 934! 934! 934!
    STARTTLS: 904? 904? 935? 935? 934! 934! 934! 934! 934!
    handshake: 904? 907!/936! 935? 935? 907!/936! 907!/935?/936! 907!/935?/936! 907!/936! 907!/936!
    EHLO-TLS: 904? 904? 935? 935? 934! 934! 934! 934! 934!
    handshake at once: 904? 936! 935? 935? 936! 935?/936! - - 936!
    banner in TLS: 904? 904? 935? 935? 905! 905! - - 934!
    EHLO in TLS: 904? 904? 935? 935? 934! 934! - - 934!
    token: 925? 925? 925? 925? 925? 925? 925? - 925!
    AUTH: 904? 904? 935? 935? 934! 934! 934! 934! 934!
    MAIL: 904? 904? 935? 935? 934! 934! 934! 934! 934!
    RCPT: 904? 904? 935? 935? 934! 934! 934! 934! 934!
    DATA: 904? 904? 935? 935? 934! 934! 934! 934! 934!
    content: 904? 904? 935? 935? 934! 934! 934! 934! 934!
    mailbox handshake: 938? 938? 938? 938? 938? 938? 938? - 938?
    mailbox greeting: 938? 938? 938? 938? 938? 937? 938? - 937?
    CAPABILITY: 938? 938? 938? 938? 938? 938? 938? - 937?
    AUTHENTICATE: 938? 938? 938? 938? 938? 938? 938? - 937?
    mailbox login: 938? 938? 938? 938? 938? 938? 938? - 937?
    EXAMINE: 938? 938? 938? 938? 938? 938? 938? - 937?
    NOOP: 938? 938? 938? 938? 938? 938? 938? - 937?
    SEARCH: 938? 938? 938? 938? 938? 938? 938? - 937?
    FETCH: 938? 938? 938? 938? 938? 938? 938? - 937?
"""
_INTRODUCTION = """\
# Faults of live tests

What `opsmail test` says when a server, an identity provider, the probe mailbox or DNS does something else than
answering, at every step. Every cell is a test (`tests/hostile/test_stages.py`, `tests/hostile/test_mailbox.py`): it
ends within the stage's limit with the stage named, nothing secret is said before the server has proven who it is, and
the password at most once. A run of the tests prints the longest time that any of them took. **Failed** says something
about the settings or the server; *inconclusive* says that another try may pass.
"""


def verdicts() -> dict[tuple[str, str], frozenset[str]]:
    """Return what may come of a fault at a step, by both."""
    found: dict[tuple[str, str], frozenset[str]] = {}
    for line in _VERDICTS.strip().splitlines():
        step, _, cells = line.strip().partition(": ")
        named = zip(FAULTS, cells.split(), strict=True)
        found |= {(step, fault): frozenset(cell.split("/")) for fault, cell in named if cell != "-"}
    return found


def verdict(error: StageError, endpoint: Endpoint) -> str:
    """Return what an error means, as the table writes it."""
    diagnosis = _table().diagnose(error, endpoint)
    return f"{diagnosis.rule_id[2:]}{'!' if diagnosis.fault.conclusive else '?'}"


@cache
def _table() -> ReplyTable:
    return ReplyTable.load()


def page() -> str:
    """Return the page."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _INTRODUCTION
    yield f"| stage | step | {' | '.join(FAULTS)} |"
    yield "|---" * (len(FAULTS) + 2) + "|"
    table = verdicts()
    for step, stage in STAGE_OF.items():
        cells = (_cell(table.get((step, fault), frozenset())) for fault in FAULTS)
        yield f"| {stage} | {step} | {' | '.join(cells)} |"
    yield ""


def _cell(found: frozenset[str]) -> str:
    return " or ".join(_told(item) for item in sorted(found)) or "–"


def _told(item: str) -> str:
    rule = LIVE_RULES[f"OM{item[:-1]}"]
    word = f"{rule.id} {rule.name}"
    return f"**{word}**" if item.endswith("!") else f"*{word}*"


if __name__ == "__main__":
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(page(), "utf-8")
