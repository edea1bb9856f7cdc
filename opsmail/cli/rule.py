"""`opsmail rule`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping

import click

from opsmail.check.organisation import rules_of
from opsmail.check.organisation.pages import page_of
from opsmail.check.pages import RulePage, load_page
from opsmail.check.rules import OWN_RULES
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.selecting import unknown_rule
from opsmail.cli.session import Session
from opsmail.errors import UsageError
from opsmail.findings import RuleMeta
from opsmail.mail.rules import LIVE_RULES
from opsmail.messages import msg
from opsmail.output.results.rule import (
    document,
    render_json,
    render_list,
    render_markdown,
    render_markdown_list,
    render_text,
)
from opsmail.output.style import Style


@click.command("rule", cls=Command, epilog="Example:  opsmail rule OM201")
@click.argument("rule_id", required=False, metavar="[ID]")
@click.option("--all", "everything", is_flag=True, help="Every rule's page instead of one.")
@click.option(
    "--format",
    "output",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="How to write it.",
)
@session_options
def command(rule_id: str | None, everything: bool, output: str, session: Session) -> int:
    """Explain a rule: what it checks, why it matters, examples, and how to fix what it finds.

    ID is a rule's id or name, as findings of `check` and `test` show them. Without one, all rules are listed, those of
    the settings too.
    """
    if rule_id is not None and everything:
        raise UsageError(msg("--all and {id} do not go together", id=rule_id), hint=msg("leave out one of them"))
    language = None if output == "json" else session.console.language  # what programs read is English
    own = None if rule_id is None else _named([*OWN_RULES.metas().values(), *LIVE_RULES.values()]).get(rule_id.lower())
    if own is not None:  # its page can be read also while the settings are wrong
        session.console.result(_pages([(own, load_page(own.id, language))], output, session, single=True))
        return ExitCode.DONE
    settings = session.settings()
    rules = rules_of(settings)
    metas = {**rules.metas(), **LIVE_RULES}
    chosen = list(metas.values()) if rule_id is None else [_find(rule_id, metas)]
    if rule_id is None and not everything:
        text = _list(chosen, output, session)
    else:
        pages = [(meta, page_of(meta, rules, settings, language) or load_page(meta.id, language)) for meta in chosen]
        text = _pages(pages, output, session, single=not everything)
    session.console.result(text)
    return ExitCode.DONE


def _list(metas: list[RuleMeta], output: str, session: Session) -> str:
    if output == "json":
        return render_json([document(meta) for meta in metas])
    if output == "markdown":
        return render_markdown_list(metas, session.console.language)
    return render_list(metas, session.console.language, Style(session.console.colors(sys.stdout)))


def _pages(chosen: list[tuple[RuleMeta, RulePage]], output: str, session: Session, *, single: bool) -> str:
    if output == "json":
        documents = [document(meta, page) for meta, page in chosen]
        return render_json(documents[0] if single else documents)
    pages = [page for _, page in chosen]
    if output == "markdown":
        return render_markdown(pages)
    style = Style(session.console.colors(sys.stdout))
    return "\n\n".join(render_text(page, style) for page in pages)


def _named(metas: Iterable[RuleMeta]) -> dict[str, RuleMeta]:
    """Return rules by what a person may call them, in lower case."""
    return {name: meta for meta in metas for name in (meta.id.lower(), meta.name)}


def _find(text: str, metas: Mapping[str, RuleMeta]) -> RuleMeta:
    """Return the rule that a person named by its id or name."""
    known = _named(metas.values())
    found = known.get(text.lower())
    if found is None:
        raise unknown_rule(text, metas)
    return found
