"""`opsmail why`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import click

from opsmail.check.engine import check
from opsmail.check.interface import Context
from opsmail.check.result import CheckResult
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.generations import require_known
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.outputs import format_option, parse_outputs
from opsmail.cli.planning import opened_store
from opsmail.cli.proofs import generation_verifier, now, statements_at_hand
from opsmail.cli.session import Session
from opsmail.evidence.envelope import statement_in
from opsmail.evidence.facts import TestSend
from opsmail.evidence.statement import Statement
from opsmail.operator.digest import EffectiveOperator
from opsmail.output.results import why
from opsmail.output.results.why import Page
from opsmail.providers import load_providers
from opsmail.publish.ancestry import Introduction, introduction
from opsmail.publish.marks import Mark, read_marks
from opsmail.publish.pins import denials
from opsmail.publish.plan import FieldChange, changes_between
from opsmail.report.endings import endings
from opsmail.secrets import known_schemes
from opsmail.settings.load import Settings
from opsmail.store.generation import read_published
from opsmail.store.interface import MissingBlobs, Store, StoreMissing


@click.command("why", cls=Command, epilog="Example:  opsmail why rh-notificacoes --env production")
@click.argument("operator")
@format_option("text or json")
@session_options
def command(operator: str, formats: tuple[str, ...], session: Session) -> int:
    """Tell on one page what an operator sends with, since when and why, what proves it, what ends, and the way back.

    The settings and files are those that are here; what is published comes from the store.
    """
    outputs = parse_outputs(formats or ("text",), ("text", "json"))
    settings = session.settings()
    context = Context(settings, load_providers(), now().date(), known_schemes())
    checked = check(session.worktree.operator_files(settings.file.operators), context)
    served = _served(session, settings, operator)
    if served is None:
        require_known([operator], checked.operators())
    page = _page(session, settings, checked, operator, served)
    for output in outputs:
        if output.format == "json":
            text = why.as_json(page)
        else:
            text = why.as_text(page, session.console.language, output.style(session.console))
        output.write(session.console, text)
    return ExitCode.DONE


@dataclass(frozen=True, slots=True)
class _Served:
    """What the store has of an operator.

    Args:
        number: of the published generation.
        document: that applications read.
        introduction: how it came there.
        before: the document before; None where there was none.
        statements: what came with it.
        marks: of the operator.
    """

    number: int
    document: bytes
    introduction: Introduction
    before: bytes | None
    statements: tuple[Statement, ...]
    marks: tuple[Mark, ...]


def _served(session: Session, settings: Settings, operator: str) -> _Served | None:
    """Return what is published of an operator; None where it is not published."""
    try:
        with opened_store(session, settings) as store:
            published = read_published(store, settings.environment, generation_verifier(settings))
            digest = published.manifest.get(operator)
            if digest is None:
                return None
            came = introduction(store, published, operator)
            blobs = store.read({digest, *([] if came.before is None else [came.before])})
            return _Served(
                published.head.number,
                blobs[digest],
                came,
                None if came.before is None else blobs[came.before],
                tuple(_kept(store, came.evidence)),
                read_marks(store, published.generation).get(operator, ()),
            )
    except StoreMissing:
        return None


def _kept(store: Store, digests: Iterable[str]) -> Iterator[Statement]:
    """Yield statements that came with a generation, as far as they are kept."""
    for digest in digests:
        try:
            yield statement_in(store.read([digest])[digest])
        except MissingBlobs:
            continue


def _page(session: Session, settings: Settings, checked: CheckResult, operator: str, served: _Served | None) -> Page:
    here = checked.operators().get(operator)
    git = None if here is None else settings.effective(here).canonical()
    document = settings.effective(checked.operators()[operator]).canonical() if served is None else served.document
    effective = EffectiveOperator.parse(document)
    findings = tuple(finding for finding in checked.findings if finding.operator == operator)
    proof = _newest(
        effective.digest, [*(served.statements if served else ()), *statements_at_hand(session.root, settings)]
    )
    entry = settings.catalogue.entry(effective.operator.server.host)
    facts = {operator: proof.facts} if proof is not None and isinstance(proof.facts, TestSend) else {}
    ends = endings([effective.operator], [] if entry is None else [entry], load_providers(), facts, findings)
    came = None if served is None else served.introduction
    return Page(
        operator=operator,
        environment=settings.environment,
        generation=0 if served is None else served.number,
        document=json.loads(document),
        since=None if came is None else came.generation,
        maybe_earlier=came is not None and came.maybe_earlier,
        changed=() if served is None or served.before is None else _fields(operator, served.before, document),
        entry=entry,
        findings=findings,
        proof=proof,
        ends=[(ending.day, ending.what) for ending in ends],
        pending=None if git is None else _fields(operator, document, git),
        marks=() if served is None else served.marks,
        revoked=next((str(told) for told in denials(document, settings)), None) if served is not None else None,
        back=None if came is None or came.before is None else came.generation.number - 1,
    )


def _fields(operator: str, before: bytes, after: bytes) -> tuple[FieldChange, ...]:
    digest = hashlib.sha256(before).hexdigest()
    changes = changes_between({operator: digest}, {operator: after}, {digest: before})
    return changes[0].fields if changes else ()


def _newest(digest: str, statements: Iterable[Statement]) -> Statement | None:
    """Return the newest test send of exactly this document."""
    bare = digest.removeprefix("sha256:")
    fitting = [item for item in statements if isinstance(item.facts, TestSend) and item.digest == bare]
    return max(fitting, key=lambda item: item.context.time, default=None)
