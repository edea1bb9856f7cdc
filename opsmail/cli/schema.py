"""`opsmail schema`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from gettext import NullTranslations
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click

from opsmail.cli.exit_codes import ExitCode
from opsmail.cli.groups import Command
from opsmail.cli.options import session_options
from opsmail.cli.outputs import Output
from opsmail.cli.session import Session
from opsmail.messages import msg


def _operator() -> dict[str, Any]:
    from opsmail.operator.schema import operator_schema

    return operator_schema()


def _settings() -> dict[str, Any]:
    from opsmail.settings.schema import settings_schema

    return settings_schema()


def _findings() -> dict[str, Any]:
    from opsmail.output.findings.schema import findings_schema

    return findings_schema()


def _test_results() -> dict[str, Any]:
    from opsmail.output.results.schema import test_results_schema

    return test_results_schema()


def _plan() -> dict[str, Any]:
    from opsmail.publish.schema import plan_schema

    return plan_schema()


def _evidence() -> dict[str, Any]:
    from opsmail.evidence.schema import evidence_schema

    return evidence_schema()


#: Name to what makes the schema: first of the files that people write, then of what opsmail writes.
SCHEMAS: Mapping[str, Callable[[], dict[str, Any]]] = MappingProxyType(
    {
        "operator": _operator,
        "settings": _settings,
        "findings": _findings,
        "test-results": _test_results,
        "plan": _plan,
        "evidence": _evidence,
    }
)


#: What people write in editors, which show them titles and descriptions. Programs read the others, in English.
FOR_PEOPLE = ("operator", "settings")


def schema_text(name: str, language: NullTranslations | None = None) -> str:
    """Return a schema as its file holds it.

    Args:
        name: which one.
        language: of what an editor shows; English without one, and where programs read the documents.
    """
    schema = SCHEMAS[name]()
    if language is not None and name in FOR_PEOPLE:
        from opsmail.shape.schema import translated

        schema = translated(schema, language)
    return json.dumps(schema, ensure_ascii=False, indent=2) + "\n"


def file_name(name: str, language: NullTranslations) -> str:
    """Return what the file of a schema is called: `operator.schema.json`, `operator.schema.pt-BR.json`."""
    tag = language.info().get("language", "").replace("_", "-") if name in FOR_PEOPLE else ""
    return f"{name}.schema.{tag}.json" if tag else f"{name}.schema.json"


@click.command("schema", cls=Command, epilog="Example:  opsmail schema operator --write schemas")
@click.argument("name", required=False, type=click.Choice(list(SCHEMAS)))
@click.option(
    "--write",
    "folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Write NAME.schema.json, or NAME.schema.pt-BR.json, into this folder instead of printing it; "
    "without NAME, all.",
)
@session_options
def command(name: str | None, folder: Path | None, session: Session) -> int:
    """Print or write the JSON Schemas: of the files that people edit, and of the JSON that opsmail writes.

    NAME is one of them; without it their names are printed. Those of the files that people edit are in the language
    of --lang.
    """
    language = session.console.language
    if folder is not None:
        for known in SCHEMAS if name is None else (name,):
            file = folder / file_name(known, language)
            Output("json", file).write(session.console, schema_text(known, language))
            session.console.say(msg("wrote {file}", file=str(file)))
    elif name is not None:
        session.console.result(schema_text(name, language))
    else:
        session.console.result("".join(f"{known}\n" for known in SCHEMAS))
    return ExitCode.DONE
