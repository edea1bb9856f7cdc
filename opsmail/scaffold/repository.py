"""A new repository: settings, catalogue, example operators, schemas, CI, and what editors and reviewers need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from gettext import NullTranslations

from opsmail.operator.model import Operator
from opsmail.providers import Providers
from opsmail.scaffold.examples import catalogue_text, example_operators, examples
from opsmail.scaffold.pipelines import Pipeline, pipeline, required
from opsmail.scaffold.templates import template
from opsmail.settings.files import FILE_NAME, WAIVERS_NAME
from opsmail.values import dataclass

_OPERATORS = "operators"
_SECRETS = {
    "github": """\
4. Make the environment `production`, with the secret `OPSMAIL_SIGNING_KEY` and those of your operators; name these in
   `.github/workflows/deploy.yml`. Set the variable `OPSMAIL_DEPLOY` to `true` when all of them are there.""",
    "gitlab": """\
4. Make the environment `production`, with the protected variable `OPSMAIL_SIGNING_KEY` and those of your operators.
   Set the variable `OPSMAIL_DEPLOY` to `true` when all of them are there.""",
    "azure": """\
4. Make the variable group `opsmail-production`, with the secret `OPSMAIL_SIGNING_KEY` and those of your operators; name
   these in `azure-pipelines.yml`. Set the variable `OPSMAIL_DEPLOY` to `true` when all of them are there.""",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """What `init` is asked for.

    Args:
        providers: ids of the providers whose servers the catalogue approves.
        ci: one of `SYSTEMS`.
        version: of opsmail, for what installs it.
    """

    providers: Sequence[str]
    ci: str
    version: str


def repository_files(
    plan: Plan, known: Providers, schemas: Mapping[str, str], language: NullTranslations | None = None
) -> dict[str, str]:
    """Return the files of a new repository, path to text; the check finds nothing in them.

    Args:
        plan: what it should have.
        known: all providers.
        schemas: for editors, name of the file to text.
        language: of the comments in operator files.

    Raises:
        UsageError: a provider is not known.
    """
    chosen = examples(plan.providers, known)
    operators = list(example_operators(chosen, known, _OPERATORS, language))
    kit = pipeline(plan.ci, plan.version, variables(operator for operator, _ in operators))
    files = {f"{_OPERATORS}/{operator.operator}.yaml": text for operator, text in operators}
    files |= {f"schemas/{name}": text for name, text in schemas.items()}
    files |= kit.files
    files |= {
        "README.md": _readme(plan, kit),
        "CODEOWNERS": template("CODEOWNERS", ci_owners=_owners(kit)),
        ".gitignore": template("gitignore"),
        ".pre-commit-config.yaml": template("pre-commit-config.yaml", requirement=required(plan.version)),
        ".vscode/settings.json": template("vscode-settings.json"),
        WAIVERS_NAME: template("waivers.yaml"),
        # The last: what has it is an opsmail repository.
        FILE_NAME: template("opsmail.toml", servers=catalogue_text(chosen, language)),
    }
    return files


def variables(operators: Iterable[Operator]) -> list[str]:
    """Return the environment variables that operators' secrets come from, each once, in the order of the operators."""
    references = (reference for operator in operators for _, reference in operator.references())
    return list(dict.fromkeys(reference.locator for reference in references if reference.scheme == "env"))


def _owners(kit: Pipeline) -> str:
    """Return who owns the CI files: of a folder all of it, so that no other workflow is added beside them."""
    tops = dict.fromkeys(f"/{top}{slash}" for top, slash, _ in (path.partition("/") for path in kit.files))
    return "\n".join(f"{top} @example/it" for top in tops)


def _readme(plan: Plan, kit: Pipeline) -> str:
    rows = "".join(
        f"| `{path}` | what {kit.system} does with a change, and after the merge | IT |\n" for path in kit.files
    )
    return template("README.md", ci_rows=rows, secrets_step=_SECRETS[plan.ci], requirement=required(plan.version))
