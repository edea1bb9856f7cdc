"""`opsmail init`."""

from __future__ import annotations

from pathlib import Path

import click

from opsmail import __version__
from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.schema import schema_text
from opsmail.cli.session import Session
from opsmail.errors import UsageError
from opsmail.messages import msg, msgn
from opsmail.providers import load_providers
from opsmail.scaffold.examples import OWN_SERVER, USUAL
from opsmail.scaffold.pipelines import SYSTEMS
from opsmail.scaffold.repository import Plan, repository_files
from opsmail.scaffold.writing import write_new

#: The schemas of the files that people write.
_SCHEMAS = ("operator", "settings")


@click.command(
    "init",
    cls=Command,
    epilog="Example:  opsmail init mail-settings --provider microsoft-365 --provider gmail --ci github",
)
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False))
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="ID",
    help=f"A mail provider, or {OWN_SERVER}; may be given several times.  [default: {', '.join(USUAL)}]",
)
@click.option("--ci", type=click.Choice(list(SYSTEMS)), default="github", help="The system that runs the checks.")
@session_options
def command(folder: str, providers: tuple[str, ...], ci: str, session: Session) -> int:
    """Make a repository to start from: settings, catalogue, example operators, schemas, CI files.

    DIR is made when it is not there. Nothing that exists is touched: where one of the files is there already, nothing
    is written.
    """
    if not folder:
        raise UsageError(msg("the folder's name is empty"), hint=msg("leave it out, or name a folder"))
    schemas = {f"{name}.schema.json": schema_text(name) for name in _SCHEMAS}
    plan = Plan(providers or USUAL, ci, __version__)
    files = repository_files(plan, load_providers(), schemas, session.console.language)
    write_new(Path(folder), files)
    _say_next(session, folder, files)
    return ExitCode.DONE


def _say_next(session: Session, folder: str, files: dict[str, str]) -> None:
    say = session.console.say
    say(msgn("wrote {count} file in {folder}", "wrote {count} files in {folder}", len(files), folder=folder))
    say(msg("next:"))
    say(msg("  1. opsmail.toml, operators/: put your servers and addresses in the place of the examples"))
    say(msg("  2. CODEOWNERS: put who decides in the place of @example/it"))
    say(msg("  3. `opsmail keygen ci --folder keys`: makes the keys that sign; name the public one in opsmail.toml"))
    say(msg("  4. `opsmail secrets`: tells where each secret has to be put, and how"))
    say(msg("  5. `opsmail check`, then commit all of it to git; README.md tells the rest"))
