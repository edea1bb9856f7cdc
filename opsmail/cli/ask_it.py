"""`opsmail ask-it`."""

from __future__ import annotations

import click

from opsmail.check.engine import check
from opsmail.check.interface import Context
from opsmail.cli.choosing import named
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.findings import show_findings
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.outputs import format_option, parse_outputs
from opsmail.cli.session import Session, today
from opsmail.messages import msg
from opsmail.output.results import enquiry as results
from opsmail.output.results.enquiry import Enquiry
from opsmail.providers import load_providers
from opsmail.secrets import known_schemes


@click.command("ask-it", cls=Command, epilog="Example:  opsmail ask-it rh-notificacoes > message.txt")
@click.argument("operator")
@format_option("text or json")
@session_options
def command(operator: str, formats: tuple[str, ...], session: Session) -> int:
    """Write a message to IT: please confirm server, port, authentication and encryption of an operator.

    It says what the operator's file asks for, why each item matters, what the check says of it, and what would approve
    it in the catalogue.
    """
    outputs = parse_outputs(formats or ("text",), ("text", "json"))
    settings = session.settings()
    context = Context(settings, load_providers(), today(), known_schemes())
    checked = check(session.worktree.operator_files(settings.file.operators), context)
    member = named([operator], checked)[0]
    findings = [item for item in checked.findings if item.file == member.file and item.waived is None]
    if member.operator is None:
        show_findings(session, findings, checked)
        session.console.say(
            msg("{file} cannot be taken as an operator, so there is nothing to confirm yet", file=member.file)
        )
        return ExitCode.FINDINGS
    enquiry = Enquiry.about(member.operator, settings.catalogue, findings)
    for output in outputs:
        as_json = output.format == "json"
        text = results.as_json(enquiry) if as_json else results.as_text(enquiry, session.console.language)
        output.write(session.console, text)
    return ExitCode.DONE
