"""As much of Azure Pipelines as our file uses: checkouts, a Python, `bash:` steps, variables in macros."""

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.workflows.machine import StepRun, check_out, kept_environment, run_script

_MACRO = re.compile(r"\$\(([\w.]+)\)")


def load(file: Path) -> dict[str, dict[str, Any]]:
    """Read the file, and return its jobs by name; what is not known here fails."""
    pipeline = yaml.safe_load(file.read_text("utf-8"))
    assert set(pipeline) == {"trigger", "pr", "pool", "jobs"}
    jobs = {job.get("job") or job["deployment"]: job for job in pipeline["jobs"]}
    assert set(jobs) == {"check", "publish"}
    return jobs


def steps(job: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of a job, or of a deployment that runs once."""
    return list(job["steps"] if "steps" in job else job["strategy"]["runOnce"]["deploy"]["steps"])


def run(
    file: Path, job: str, folder: Path, tools: Path, repository: str, commit: str, given: Mapping[str, str]
) -> list[StepRun]:
    """Run the steps of a job up to the first that fails.

    Args:
        file: `azure-pipelines.yml`.
        job: its name.
        folder: everything is in here.
        tools: what `UsePythonVersion` puts first on the PATH.
        repository: what is checked out.
        commit: which revision of it.
        given: variables, secret ones among them; only what a step names reaches it.
    """
    definition = load(file)[job]
    sources = folder / "s"
    shutil.rmtree(sources, ignore_errors=True)
    (folder / "temp").mkdir(exist_ok=True)
    environment = kept_environment()
    environment |= {"TF_BUILD": "True", "AGENT_TEMPDIRECTORY": str(folder / "temp"), "TMPDIR": str(folder / "temp")}
    environment |= {item["name"]: item["value"] for item in definition.get("variables", ()) if "name" in item}
    runs: list[StepRun] = []
    for step in steps(definition):
        if "checkout" in step:
            assert (step["checkout"], step["persistCredentials"]) == ("self", False)
            check_out(sources, repository, commit, whole=step["fetchDepth"] == 0)
        elif "task" in step:
            assert step["task"] == "UsePythonVersion@0"
            environment["PATH"] = f"{tools}{os.pathsep}{environment['PATH']}"
        else:
            assert set(step) <= {"bash", "displayName", "env"}, step
            assert _MACRO.search(step["bash"]) is None, f"{step['displayName']} pastes a variable into its script"
            # What is not set stays as it is written.
            own = {name: _MACRO.sub(lambda found: given.get(found[1], found[0]), text) for name, text in _env(step)}
            runs.append(run_script(step["displayName"], step["bash"], sources, environment | own))
            if runs[-1].code:
                break
    return runs


def _env(step: Mapping[str, Any]) -> list[tuple[str, str]]:
    return list(step.get("env", {}).items())
