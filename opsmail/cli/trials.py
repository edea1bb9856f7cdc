"""One run of live tests as a command shows it: results as they come, evidence, outputs, a transcript."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import cached_property
from gettext import NullTranslations
from pathlib import Path

from opsmail.check.result import CheckResult
from opsmail.cli.attesting import Attester
from opsmail.cli.ci import Run
from opsmail.cli.failures import Failures
from opsmail.cli.outputs import Output
from opsmail.cli.proofs import now
from opsmail.cli.revision import Revision
from opsmail.cli.session import Session
from opsmail.errors import OpsmailError
from opsmail.evidence.facts import Depth
from opsmail.live.engine import LiveTest
from opsmail.live.result import Outcome, TestResult
from opsmail.live.trial import Compose
from opsmail.mail.message import Particulars, TestMessage, compose
from opsmail.messages import msg
from opsmail.operator.digest import EffectiveOperator, canonical_host
from opsmail.operator.model import Operator
from opsmail.output.findings import FORMATS
from opsmail.output.results import tests
from opsmail.output.style import Style
from opsmail.secrets import open_secrets
from opsmail.settings.load import Settings

#: What `test` writes: results as text and JSON, and the failures in every other format of findings.
TEST_FORMATS = ("text", "json", *(name for name in FORMATS if name not in {"text", "json"}))

#: A run that is killed loses the results of so many seconds at most; none once nothing came for a moment.
_SECONDS_BETWEEN_WRITES, _PATIENCE = 5.0, 0.5


@dataclass
class Trials:
    """The tests of one command, and what has come of them so far.

    Args:
        session: how to speak.
        revision: what is tested.
        checked: its check, which knows the files.
        ci: who runs the tests, and where.
        outputs: where results are written.
        transcript: where what was said is written; None for nowhere.
    """

    session: Session
    revision: Revision
    checked: CheckResult
    ci: Run
    outputs: Sequence[Output]
    transcript: Path | None
    results: list[TestResult] = field(default_factory=list, init=False)
    #: By operator, the path of its statement.
    evidence: dict[str, str] = field(default_factory=dict, init=False)
    #: So many of the results have their evidence, if they get any.
    _looked_at: int = field(default=0, init=False)
    #: Why a statement could not be written.
    unwritten: OpsmailError | None = field(default=None, init=False)

    @cached_property
    def _failures(self) -> Failures:
        return Failures(self.revision, self.checked)

    def run(
        self, operators: Sequence[Operator], recipient: str, depth: Depth, seconds: int | None = None
    ) -> list[TestResult]:
        """Test the operators, show each result as it comes, sign evidence for what passed, and write the outputs.

        What has been done is written when the run is interrupted, too.

        Args:
            operators: who is tested.
            recipient: of the messages.
            depth: how far to go.
            seconds: for all of them together; None for as long as it takes.
        """
        settings, origin = self.revision.settings, self.revision.origin
        secrets = open_secrets()
        make = composer(settings, self.session.console.language, self.ci.url)
        live = LiveTest(
            settings=settings, secrets=secrets, compose=make, recipient=recipient, depth=depth, seconds=seconds
        )
        # A refusal comes from here: before anything is written, and before any secret is read, the signing key too.
        coming = live.batches(operators, _PATIENCE)
        attester = Attester.open(self.session, settings, origin, secrets, self.ci) if operators else None
        console, complete, written = self.session.console, False, time.monotonic()
        try:
            with closing(coming):
                for batch in coming:
                    for result in batch:
                        console.status(None)
                        self._take(result)
                        console.status(msg("{done} of {total} tested", done=len(self.results), total=len(operators)))
                    if not batch or time.monotonic() - written >= _SECONDS_BETWEEN_WRITES:
                        self._write_so_far(attester)
                        written = time.monotonic()
            complete = True
        finally:
            console.status(None)
            self._write(attester, complete=complete)
        if self.unwritten is not None:
            raise self.unwritten
        return self.results

    def _take(self, result: TestResult) -> None:
        if self.transcript is None and result.outcome is Outcome.PASSED:
            result = replace(result, transcript=())  # nobody will read it, and fleets are big
        self.results.append(result)
        for output in self.outputs:
            if output.format == "text" and output.file is None:
                output.write(self.session.console, self._text(result, self._style))

    def _attest(self, attester: Attester | None) -> None:
        """Sign what has passed since the last time.

        Many at once, and while little is said: beside sixteen conversations that wait for the interpreter a signature
        takes three times as long.
        """
        while self._looked_at < len(self.results):
            result = self.results[self._looked_at]
            self._looked_at += 1
            if attester is not None and result.outcome is Outcome.PASSED:
                try:
                    self.evidence[result.operator] = attester.attest(result)
                except OpsmailError as error:
                    self.unwritten = error  # told after everything else: the tests are worth their results

    def _write_so_far(self, attester: Attester | None) -> None:
        """Write evidence, and what programs read into its files, each time in place of the one before."""
        if self._looked_at == len(self.results):
            return
        self._attest(attester)
        for output in self.outputs:
            if output.format == "json" and output.file is not None:
                output.write(self.session.console, self._json(complete=False))

    def _write(self, attester: Attester | None, *, complete: bool) -> None:
        console = self.session.console
        self._attest(attester)
        for output in self.outputs:
            if output.format == "json":
                output.write(console, self._json(complete=complete))
            elif output.format != "text":
                report = self._failures.report(self.results, self.session.environment)
                output.write(console, FORMATS[output.format](report, console.language, output.style(console)))
            elif output.file is not None:
                output.write(console, "".join(self._text(result, output.style(console)) for result in self.results))
        if self.transcript is not None:
            said = (f"== {item.operator}\n" + "".join(f"{line}\n" for line in item.transcript) for item in self.results)
            Output("text", self.transcript).write(console, "\n".join(said))
        console.say(tests.closing_line(self.results))

    def _json(self, *, complete: bool) -> str:
        return tests.as_json(self.results, self.evidence, complete=complete)

    def _text(self, result: TestResult, style: Style) -> str:
        return tests.result_text(result, self.session.console.language, style, self._place(result))

    @cached_property
    def _style(self) -> Style:
        """How to write on standard output."""
        return self.session.console.style_on(sys.stdout)

    def _place(self, result: TestResult) -> str | None:
        """Return where the field stands that a failure is about; None when it is about no field of the operator."""
        finding = self._failures.finding(result)
        if finding is None or not finding.path:
            return None
        return f"{finding.file}:{finding.span.line}:{finding.span.column}"


def composer(settings: Settings, language: NullTranslations, run: str | None) -> Compose:
    """Return what makes test messages.

    Args:
        settings: how they are called.
        language: of their texts.
        run: a link to the run that sends them; None where there is none.
    """

    def make(effective: EffectiveOperator, recipient: str) -> TestMessage:
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
            run=run,
            subject_prefix=settings.file.live.subject_prefix,
        )
        return compose(about, language)

    return make
