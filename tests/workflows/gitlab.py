"""As much of GitLab CI as our file uses: one script of a job, after what all jobs run before theirs."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.workflows.machine import StepRun, check_out, kept_environment, run_script

_DEFAULT = {"image", "before_script"}
_JOB = {
    *(
        "stage",
        "timeout",
        "interruptible",
        "rules",
        "script",
        "artifacts",
        "resource_group",
        "environment",
        "variables",
    ),
}


def load(file: Path) -> dict[str, Any]:
    """Read the file; what is not known here fails."""
    pipeline = yaml.safe_load(file.read_text("utf-8"))
    assert set(pipeline) == {"default", "variables", "check", "publish"}
    assert set(pipeline["default"]) <= _DEFAULT
    assert all(set(pipeline[job]) <= _JOB for job in ("check", "publish"))
    return dict(pipeline)


def run(file: Path, job: str, folder: Path, tools: Path, repository: str, given: Mapping[str, str]) -> StepRun:
    """Run a job on a fresh clone, which stays in `folder / "builds"`.

    Args:
        file: `.gitlab-ci.yml`.
        job: its name.
        folder: everything is in here.
        tools: first on the PATH: what the image brings.
        repository: what is cloned.
        given: GitLab's own variables, `CI_COMMIT_SHA` among them, and those of the project.
    """
    pipeline = load(file)
    builds = folder / "builds"
    shutil.rmtree(builds, ignore_errors=True)
    check_out(builds, repository, given["CI_COMMIT_SHA"], whole=pipeline["variables"]["GIT_DEPTH"] == "0")
    (folder / "tmp").mkdir(exist_ok=True)
    environment = kept_environment()
    environment |= {"CI": "true", "GITLAB_CI": "true", "CI_JOB_ID": "42", "TMPDIR": str(folder / "tmp")}
    environment |= {"PATH": f"{tools}{os.pathsep}{environment['PATH']}"}
    environment |= pipeline["variables"] | pipeline[job].get("variables", {}) | dict(given)
    lines = [*pipeline["default"]["before_script"], *pipeline[job]["script"]]
    return run_script(job, "\n".join(lines), builds, environment)
