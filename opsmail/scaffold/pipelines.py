"""CI files: what checks a change, and what tests and publishes the merged commit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from opsmail.scaffold.templates import template
from opsmail.values import dataclass

#: Each CI system with its name for people, and the files that are its own.
SYSTEMS = {
    "github": ("GitHub Actions", (".github/workflows/validate.yml", ".github/workflows/deploy.yml")),
    "gitlab": ("GitLab CI", (".gitlab-ci.yml",)),
    "azure": ("Azure Pipelines", ("azure-pipelines.yml",)),
}


class Pipeline(NamedTuple):
    """The files of one CI system.

    Args:
        system: its name for people.
        files: path to text.
    """

    system: str
    files: dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """How a workflow gets the program, as lines of YAML.

    Args:
        to_check: commands of the step that installs it for pull requests.
        to_publish: the same for the merged commit.
        tool: steps before those, where it has to be fetched first.
    """

    to_check: str
    to_publish: str
    tool: str = ""


def pipeline(ci: str, version: str, variables: Sequence[str]) -> Pipeline:
    """Return the files of a CI system that installs a released version.

    Args:
        ci: one of `SYSTEMS`.
        version: of opsmail.
        variables: secrets that the test has to have, by the name of their environment variable.
    """
    name, files = SYSTEMS[ci]
    if ci == "github":
        return Pipeline(name, github(_released(version), variables))
    (file,) = files
    requirement = f'"{required(version)}"'
    if ci == "gitlab":
        return Pipeline(name, {file: template("gitlab/gitlab-ci.yml", jobs=_gitlab_jobs(requirement, "production"))})
    given = _lines(" " * 16, (f"{name}: $({name})" for name in variables))
    return Pipeline(name, {file: template("azure/azure-pipelines.yml", requirement=requirement, secrets=given)})


def github(installation: Installation, variables: Iterable[str]) -> dict[str, str]:
    """Return the two workflows, path to text; opsmail's own repository has them, too.

    Args:
        installation: where the program comes from.
        variables: secrets that the test has to have.
    """
    validate, deploy = SYSTEMS["github"][1]
    secrets = _lines(" " * 10, (f"{name}: ${{{{ secrets.{name} }}}}" for name in variables))
    return {
        validate: template("github/validate.yml", tool=installation.tool, install_to_check=installation.to_check),
        deploy: template("github/deploy.yml", install_to_publish=installation.to_publish, secrets=secrets),
    }


def gitlab_component() -> str:
    """Return the component that opsmail's own repository offers: the same jobs, with inputs."""
    jobs = _gitlab_jobs(f'"{required("$[[ inputs.version ]]")}"', "$[[ inputs.environment ]]")
    return template("gitlab/component.yml", jobs=jobs)


def _gitlab_jobs(requirement: str, environment: str) -> str:
    return template("gitlab/jobs.yml", requirement=requirement, environment=environment)


def required(version: str) -> str:
    """Return what pip is asked for."""
    return f"opsmail=={version}"


def _released(version: str) -> Installation:
    commands = _lines(
        " " * 10,
        (
            "# To pin what opsmail itself needs, too, commit a requirements.txt with hashes (`uv pip compile",
            "# --generate-hashes` makes it) and install that: `pip install --require-hashes -r requirements.txt`.",
            f'"$RUNNER_TEMP/opsmail/bin/pip" install --quiet "{required(version)}"',
        ),
    )
    return Installation(to_check=commands, to_publish=commands)


def _lines(indentation: str, lines: Iterable[str]) -> str:
    return "".join(f"{indentation}{line}\n" for line in lines)
