"""As much of GitLab CI as our file uses: one script of a job, after what all jobs run before theirs."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.workflows.machine import StepRun, check_out, kept_environment, run_script

_JOBS = ("opsmail-check", "opsmail-publish")
_SHARED = {"image", "before_script", "variables"}
_JOB = {
    *("extends", "stage", "timeout", "interruptible", "rules", "script", "artifacts"),
    *("resource_group", "environment", "variables"),
}
_INPUT = re.compile(r"\$\[\[ inputs\.(\w+) \]\]")


def load(file: Path) -> dict[str, Any]:
    """Read the file; what is not known here fails."""
    return _pipeline(file.read_text("utf-8"))


def load_component(file: Path, inputs: Mapping[str, str]) -> dict[str, Any]:
    """Read a component as it is included with inputs, which have to be as it wants them."""
    header, _, body = file.read_text("utf-8").partition("\n---\n")
    wanted = yaml.safe_load(header)["spec"]["inputs"]
    values = {name: inputs.get(name, known.get("default")) for name, known in wanted.items()}
    assert set(inputs) <= set(wanted)
    for name, known in wanted.items():
        assert re.fullmatch(known["regex"], values[name] or ""), name
    return _pipeline(_INPUT.sub(lambda match: values[match[1]], body))


def _pipeline(text: str) -> dict[str, Any]:
    pipeline = yaml.safe_load(text)
    assert set(pipeline) == {".opsmail", *_JOBS}
    assert set(pipeline[".opsmail"]) <= _SHARED
    assert all(set(pipeline[job]) <= _JOB and pipeline[job]["extends"] == ".opsmail" for job in _JOBS)
    return dict(pipeline)


def run(
    pipeline: Mapping[str, Any], job: str, folder: Path, tools: Path, repository: str, given: Mapping[str, str]
) -> StepRun:
    """Run a job on a fresh clone, which stays in `folder / "builds"`.

    Args:
        pipeline: `.gitlab-ci.yml`.
        job: its name.
        folder: everything is in here.
        tools: first on the PATH: what the image brings.
        repository: what is cloned.
        given: GitLab's own variables, `CI_COMMIT_SHA` among them, and those of the project.
    """
    shared = pipeline[".opsmail"]
    variables = shared["variables"] | pipeline[job].get("variables", {})
    builds = folder / "builds"
    shutil.rmtree(builds, ignore_errors=True)
    check_out(builds, repository, given["CI_COMMIT_SHA"], whole=variables["GIT_DEPTH"] == "0")
    (folder / "tmp").mkdir(exist_ok=True)
    environment = kept_environment()
    environment |= {"CI": "true", "GITLAB_CI": "true", "CI_JOB_ID": "42", "TMPDIR": str(folder / "tmp")}
    environment |= {"PATH": f"{tools}{os.pathsep}{environment['PATH']}"}
    environment |= variables | dict(given)
    lines = [*shared["before_script"], *pipeline[job]["script"]]
    return run_script(job, "\n".join(lines), builds, environment)
