"""`opsmail test`."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import click

from opsmail.check.engine import CheckResult
from opsmail.check.placing import FilePlacer
from opsmail.check.rules import FLEET_RULES
from opsmail.cli.attesting import Attester
from opsmail.cli.ci import Run, current_run
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.options import session_options
from opsmail.cli.outputs import Output, parse_outputs
from opsmail.cli.planning import prepare_reading
from opsmail.cli.proofs import evidence_at_hand, now
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.errors import UsageError
from opsmail.evidence.facts import Depth
from opsmail.live.engine import LiveTest
from opsmail.live.result import Outcome, TestResult
from opsmail.mail.message import Particulars, compose
from opsmail.messages import msg
from opsmail.operator.digest import EffectiveOperator, canonical_host
from opsmail.operator.model import Operator, Role
from opsmail.output.findings import Report, Summary, text
from opsmail.output.results import tests as results_output
from opsmail.output.style import Style
from opsmail.publish.gate import judge
from opsmail.secrets import open_secrets
from opsmail.shape import nearest
from opsmail.source.reader import read_document

#: Rules about the fleet as a whole do not keep one operator from being tested.
_FLEET_IDS = frozenset(rule.meta.id for rule in FLEET_RULES) - {"OM704"}


@click.command("test", epilog="Example:  opsmail test rh-notificacoes --format text --format json:results.json")
@click.argument("operators", nargs=-1)
@click.option("--all", "everyone", is_flag=True, help="Test every operator.  [default without names]")
@click.option("--unproven", is_flag=True, help="Test the master, and those that `publish` would refuse for lack of evidence.")
@click.option(
    "--depth",
    type=click.Choice([depth.value for depth in Depth if depth is not Depth.RECEIPT]),
    default=Depth.SEND.value,
    show_default=True,
    help="How far to go.",
)
@click.option("--to", "recipient", metavar="ADDRESS", help="Where the test messages go.  [default: live.recipient]")
@click.option("--trust", metavar="REV", help="Take the catalogue from this revision.")
@click.option("--commit", metavar="SHA", help="Test this commit.  [default: HEAD]")
@click.option("--format", "formats", multiple=True, metavar="FORMAT[:FILE]", help="text or json; may be given several times.")
@click.option(
    "--transcript",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write what was said, without secrets, to this file.",
)
@session_options
def command(
    operators: tuple[str, ...],
    everyone: bool,
    unproven: bool,
    depth: str,
    recipient: str | None,
    trust: str | None,
    commit: str | None,
    formats: tuple[str, ...],
    transcript: Path | None,
    session: Session,
) -> int:
    """Send a real test message as each operator, and sign evidence for those that passed.

    Nothing is sent to a server that the catalogue does not allow. Operators that `check` finds errors in are not tested.
    """
    if sum((bool(operators), everyone, unproven)) > 1:
        raise UsageError(msg("operators, --all and --unproven exclude each other"), hint=msg("give one of them"))
    outputs = parse_outputs(formats or ("text",), ("text", "json"))
    run = current_run(os.environ)
    run.require_trusted()
    revision = Revision.open(session, commit, trust)
    checked = revision.check()
    chosen = _unproven(session, revision, checked) if unproven else _named(operators, checked)
    testable = _without_errors(session, checked, chosen)
    trial = _Trial(session, revision, run, outputs, Depth(depth))
    results = trial.run(testable, recipient)
    if transcript is not None:
        lines = [f"== {result.operator}\n" + "".join(f"{line}\n" for line in result.transcript) for result in results]
        Output("text", transcript).write(session.console, "\n".join(lines))
    return _exit_code(results, untested=len(chosen) - len(testable))


def _named(names: Sequence[str], checked: CheckResult) -> list[Operator]:
    operators = checked.operators()
    for name in names:
        if name not in operators:
            guess = nearest(name, sorted(operators))
            raise UsageError(
                msg("there is no operator `{name}` that can be read", name=name),
                hint=msg("did you mean `{guess}`?", guess=guess) if guess else msg("`opsmail check` lists what is wrong"),
            )
    return [operators[name] for name in (dict.fromkeys(names) or sorted(operators))]


def _unproven(session: Session, revision: Revision, checked: CheckResult) -> list[Operator]:
    """Return the operators that the gate would refuse, and the master: without it the scheduler sends nothing."""
    plan = prepare_reading(session, revision, checked).plan
    evidence = evidence_at_hand(session.root, revision.settings)
    verdict = judge(plan, revision.settings.file.gate, evidence, now(), errors=(), descends=True)
    names = {refusal.operator for refusal in verdict.refusals}
    return [operator for name, operator in sorted(checked.operators().items()) if name in names or operator.role is Role.MASTER]


def _without_errors(session: Session, checked: CheckResult, chosen: Sequence[Operator]) -> list[Operator]:
    """Show what is wrong with the operators that were chosen, and return those with which nothing is."""
    names = {operator.operator for operator in chosen}
    findings = [
        finding for finding in checked.errors() if finding.operator in names and finding.rule.id not in _FLEET_IDS
    ]
    if findings:
        summary = Summary.of(findings, files=len(checked.members), operators=len(checked.members))
        report = Report(tuple(findings), summary)
        shown = text.render(report, session.console.language, session.console.style.color)
        session.console.progress(shown)
    faulty = {finding.operator for finding in findings}
    return [operator for operator in chosen if operator.operator not in faulty]


@dataclass(frozen=True)
class _Trial:
    """One run of the command."""

    session: Session
    revision: Revision
    run_facts: Run
    outputs: Sequence[Output]
    depth: Depth

    def run(self, operators: Sequence[Operator], recipient: str | None) -> list[TestResult]:
        """Test the operators, tell each result as it comes, sign evidence, and write the outputs."""
        settings = self.revision.settings
        to = recipient or settings.file.live.recipient
        if to is None:
            raise UsageError(
                msg("nobody is named to receive the test messages"),
                hint=msg("set `live.recipient` in opsmail.toml, or pass --to ADDRESS"),
            )
        secrets = open_secrets()
        live = LiveTest(
            settings=settings,
            trusted=self.revision.trusted,
            secrets=secrets,
            compose=self._compose,
            recipient=to,
            depth=self.depth,
        )
        attester = Attester.open(self.session, self.revision, secrets, self.run_facts) if operators else None
        results: list[TestResult] = []
        evidence: dict[str, str] = {}
        shown: list[str] = []
        as_text = next((output for output in self.outputs if output.format == "text"), None)
        for result in live.run(operators):
            results.append(result)
            if attester is not None and result.outcome is Outcome.PASSED:
                evidence |= attester.attest(result)
            if as_text is not None:
                color = as_text.file is None and self.session.console.colors(sys.stdout)
                block = results_output.result_lines(result, self.session.console.language, Style(color), self._place(result))
                shown.append(block)
                if as_text.file is None:
                    self.session.console.result(block)
        for output in self.outputs:
            if output.format == "json":
                output.write(self.session.console, results_output.as_json(results, evidence))
            elif output.file is not None:
                output.write(self.session.console, "".join(shown))
        self.session.console.say(results_output.closing_line(results))
        return results

    def _compose(self, effective: EffectiveOperator, recipient: str) -> EmailMessage:
        operator = effective.operator
        about = Particulars(
            operator=operator.operator,
            sender=operator.sender.address,
            recipient=recipient,
            server=f"{canonical_host(operator.server.host)}:{operator.server.port}",
            when=now(),
            digest=effective.digest,
            display_name=operator.sender.display_name,
            reply_to=operator.sender.reply_to,
            run=self.run_facts.url,
            subject_prefix=self.revision.settings.file.live.subject_prefix,
        )
        return compose(about, self.session.console.language)

    def _place(self, result: TestResult) -> str | None:
        """Return where the field stands that a failure is about."""
        if result.failure is None:
            return None
        for file in self.revision.files:
            document = read_document(file.content)[0] if file.path.endswith(f"/{result.operator}.yaml") else None
            if document is not None:
                span = FilePlacer(file.path, file.content, document).span(result.failure.diagnosis.path)
                return f"{file.path}:{span.line}:{span.column}"
        return None


def _exit_code(results: Sequence[TestResult], untested: int) -> int:
    """Return what the run says: a failure beats what is inconclusive, and what was skipped is never green."""
    outcomes = {result.outcome for result in results}
    if Outcome.FAILED in outcomes or untested:
        return ExitCode.FINDINGS
    if outcomes - {Outcome.PASSED}:
        return ExitCode.UNAVAILABLE
    return ExitCode.DONE
