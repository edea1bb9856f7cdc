"""`opsmail import`."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from pathlib import Path

import click

from opsmail.check.engine import check
from opsmail.check.interface import Context
from opsmail.check.result import CheckResult
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.findings import show_findings
from opsmail.cli.groups import Command
from opsmail.cli.keeping import Keeping
from opsmail.cli.options import session_options
from opsmail.cli.outputs import format_option, parse_outputs
from opsmail.cli.placing import operators_folder
from opsmail.cli.secrets import ci_systems
from opsmail.cli.session import Session, today
from opsmail.errors import UsageError
from opsmail.findings import Finding
from opsmail.messages import msg, msgn
from opsmail.output.results import imported as results
from opsmail.output.results.imported import Report
from opsmail.output.results.secrets import KnownSecret, State
from opsmail.providers import load_providers
from opsmail.references import SecretReference
from opsmail.runtime.files import load_authority
from opsmail.scaffold.operator_file import plain_text
from opsmail.scaffold.writing import require_free, write_new, write_over
from opsmail.secrets import known_schemes, open_secrets
from opsmail.secrets.storing import Readers, storing_steps
from opsmail.settings.load import Settings
from opsmail.source.tree import SourceFile, operator_stem
from opsmail.store.server import Access
from opsmail.transfer.columns import load_columns
from opsmail.transfer.header import Expected, Header
from opsmail.transfer.operators import Conversion, Imported, parse_defaults
from opsmail.transfer.sources import ENCODINGS, Source

#: Rules about the shape of files: what they find, the row tells already.
_SHAPE = frozenset(("OM101", "OM102", "OM103", "OM104"))


@click.command("import", cls=Command, epilog="Example:  opsmail import operadores.csv --dry-run")
@click.argument("source")
@click.option(
    "--map", "maps", multiple=True, metavar="COLUMN=FIELD", help="What a column holds; without FIELD it is not read."
)
@click.option(
    "--default", "defaults", multiple=True, metavar="FIELD=VALUE", help="What a field is where a row says nothing."
)
@click.option(
    "--secrets",
    "wanted",
    metavar="SCHEME",
    help="Where secrets will be kept: a scheme such as env or vault, or a pattern such as "
    "vault://secret/opsmail/{operator}#password.  [default: as the catalogue says, else env]",
)
@click.option(
    "--encoding",
    type=click.Choice(ENCODINGS),
    default=ENCODINGS[0],
    help="How a text file is encoded.  [default: utf-8]",
)
@click.option("--table", metavar="NAME", help="The table of a database.")
@click.option("--password", metavar="REF", help="Where the database's password is kept, never the password itself.")
@click.option("--ca", metavar="FILE", help="The certificate of the authority that signed the database server's.")
@click.option("--folder", help="The folder for the files.  [default: the operators folder]")
@click.option("--force", is_flag=True, help="Write in the place of files that are there.")
@click.option("--dry-run", is_flag=True, help="Tell what would be written, and write nothing.")
@format_option("text or json")
@session_options
def command(
    source: str,
    maps: tuple[str, ...],
    defaults: tuple[str, ...],
    wanted: str | None,
    encoding: str,
    table: str | None,
    password: str | None,
    ca: str | None,
    folder: str | None,
    force: bool,
    dry_run: bool,
    formats: tuple[str, ...],
    session: Session,
) -> int:
    """Write operator files from the table of an older administration form, and tell what needs a person.

    SOURCE is a CSV or JSON file, an SQLite file, or a database as postgresql://user@host/database or
    mysql://user@host/database. Columns are known by their names in English and Portuguese. Those that may hold secrets
    are never read: each operator gets a reference, and the steps to put its secret there are told.
    """
    outputs = parse_outputs(formats or ("text",), ("text", "json"))
    settings = session.settings()
    columns = load_columns()
    keeping = Keeping(settings.catalogue, load_providers(), wanted)
    conversion = Conversion(columns, parse_defaults(columns, defaults), keeping)
    target = operators_folder(session, settings, folder)
    place = Source(source, encoding, table, _access(password, ca))
    with place.opened(Expected.parse(columns, maps)) as opened:
        header = opened.header
        operators = list(conversion.operators(opened))
    if not operators:
        raise UsageError(
            msg("the table has no rows"), hint=msg("the first row names the columns, each other one is an operator")
        )
    fleet = _Fleet(session, settings)
    files = {fleet.place(imported.operator, target): imported for imported in operators}
    if not force:
        require_free(session.root, files, msg("nothing was written; `--force` writes in their place"))
    texts = {file: plain_text(item.data, posixpath.dirname(file)) for file, item in files.items()}
    checked = fleet.check(texts)
    if not dry_run:
        write_over(session.worktree, texts) if force else write_new(session.root, texts)
    report = Report(header, files, _findings(checked, files), _secrets(session, operators), written=not dry_run)
    for output in outputs:
        if output.format == "json":
            text = results.as_json(report)
        else:
            text = results.as_text(report, session.console.language, output.style(session.console))
        output.write(session.console, text)
    return _outcome(session, report, checked)


class _Fleet:
    """The operators that are there, and new ones among them."""

    def __init__(self, session: Session, settings: Settings) -> None:
        self._context = Context(settings, load_providers(), today(), known_schemes())
        folders = [folder for folder in settings.file.operators if (session.root / folder).is_dir()]
        self._files = session.worktree.operator_files(folders)
        self._known = {operator_stem(path): path for path in self._files.paths}

    def place(self, operator: str, folder: str) -> str:
        """Return where the file of an operator is, or will be."""
        return self._known.get(operator, f"{folder}/{operator}.yaml")

    def check(self, texts: Mapping[str, str]) -> CheckResult:
        """Check all of them together, these texts by their files."""
        others = [file for file in self._files if file.path not in texts]
        return check([*others, *(SourceFile(file, text.encode()) for file, text in texts.items())], self._context)


def _access(password: str | None, ca: str | None) -> Access:
    reference = None if password is None else SecretReference.parse(password)
    if reference is not None and reference.is_literal:
        raise UsageError(
            msg(
                "--password: this is no reference to a secret; if it is the password itself, change it now: terminals "
                "and shells keep what was typed"
            ),
            hint=msg("for example `--password env://OPSMAIL_STORE_PASSWORD`"),
        )
    return Access.resolve(reference, None if ca is None else load_authority(Path(ca)), open_secrets())


def _findings(checked: CheckResult, files: Mapping[str, Imported]) -> tuple[Finding, ...]:
    return tuple(
        finding
        for finding in checked.findings
        if finding.file in files and finding.waived is None and finding.rule.id not in _SHAPE
    )


def _secrets(session: Session, operators: list[Imported]) -> tuple[KnownSecret, ...]:
    """Return what has to be put where; nobody tries what cannot be there yet."""
    users: dict[SecretReference, list[tuple[str, str]]] = {}
    for imported in operators:
        for path, reference in imported.references:
            users.setdefault(reference, []).append((imported.operator, path))
    readers = Readers(ci_systems(session.root, None))
    return tuple(
        KnownSecret(reference, tuple(used), (), State.NOT_TRIED, None, tuple(storing_steps(reference, readers)))
        for reference, used in users.items()
    )


def _outcome(session: Session, report: Report, checked: CheckResult) -> ExitCode:
    """Say what was done, and what a person has to do; return the exit code."""
    say = session.console.say
    if report.findings:
        show_findings(session, report.findings, checked)
    _say_what_was_not_read(session, report.header)
    count = len(report.operators)
    if report.written:
        say(msgn("wrote {count} operator file", "wrote {count} operator files", count))
    else:
        say(msgn("{count} operator file would be written", "{count} operator files would be written", count))
    faulty = {finding.file for finding in checked.errors()}.intersection(report.operators)
    unclear = {file for file, imported in report.operators.items() if imported.remarks}
    needing = len(faulty | unclear)
    if not needing:
        say(msg("next: put the secrets where they belong, look at the files, and open a pull request"))
        return ExitCode.DONE
    say(msgn("{count} of them needs a person", "{count} of them need a person", needing))
    return ExitCode.FINDINGS


def _say_what_was_not_read(session: Session, header: Header) -> None:
    say, text = session.console.say, session.console.text
    if header.secret:
        names = ", ".join(map(text, header.secret))
        say(msg("columns that may hold secrets, and were not read: {names}", names=names))
    if header.unknown:
        names = ", ".join(map(text, header.unknown))
        say(msg("columns that are not known, and were not read: {names}; `--map COLUMN=FIELD` names them", names=names))
