"""As much of GitHub Actions as the workflows use: checkouts, a Python, environment variables, secrets, `run:` steps.

What is not known here fails, so that no step passes because it was not understood.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.workflows.machine import StepRun, check_out, kept_environment, run_script

_EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")


@dataclass(frozen=True)
class Runner:
    """A machine that runs jobs; its temporary folder and its tools stay between them, as on a runner of one's own.

    Args:
        folder: everything is in here.
        python: what `actions/setup-python` puts first on the PATH.
    """

    folder: Path
    python: Path

    @property
    def temporary(self) -> Path:
        return self.folder / "temp"

    @property
    def summary(self) -> Path:
        return self.folder / "summary.md"

    def run(self, job: "Job", contexts: Mapping[str, str]) -> list[StepRun]:
        """Run the steps of a job up to the first that fails.

        Args:
            job: of a workflow.
            contexts: values of expressions, such as `secrets.NAME` or `github.sha`, and of variables that start with
                `GITHUB_` or `ACTIONS_`; `repository` is what is checked out. Of a step with a condition, an input
                decides.
        """
        workspace = self.folder / "workspace"
        shutil.rmtree(workspace, ignore_errors=True)
        for place in (workspace, self.temporary):
            place.mkdir(parents=True, exist_ok=True)
        self.summary.write_text("", "utf-8")
        runs: list[StepRun] = []
        for step in job.steps:
            if "uses" in step:
                self._use(step, workspace, contexts)
                continue
            plain = dict(step)
            if "if" in step and contexts[_input(plain.pop("if"))] != "true":
                continue
            runs.append(self._run_step(job, plain, workspace, contexts))
            if runs[-1].code:
                break
        return runs

    @property
    def output(self) -> Path:
        return self.folder / "output.txt"

    def run_action(
        self,
        file: Path,
        repository: str,
        commit: str,
        inputs: Mapping[str, str],
        contexts: Mapping[str, str],
        *,
        without: str = "",
    ) -> tuple[list[StepRun], dict[str, str]]:
        """Run the `run:` steps of a composite action on a checkout.

        Of a step with a condition, the inputs that it asks for decide; the rest of its condition is taken to hold. One
        without a condition is not run after one that failed.

        Args:
            file: `action.yml`.
            repository: what is checked out.
            commit: which revision of it, with all that leads to it.
            inputs: what the workflow says under `with:`.
            contexts: values of expressions, for the defaults of the other inputs.
            without: a step that was run before, on this machine.

        Returns:
            The runs, and the outputs that they wrote.
        """
        action = yaml.safe_load(file.read_text("utf-8"))
        assert set(inputs) <= set(action["inputs"])
        given = {name: _filled(str(item["default"]), contexts) for name, item in action["inputs"].items()} | dict(
            inputs
        )
        values = {**contexts, **{f"inputs.{name}": value for name, value in given.items()}}
        workspace = self.folder / "workspace"
        shutil.rmtree(workspace, ignore_errors=True)
        check_out(workspace, repository, commit, whole=True)
        for place in (self.summary, self.output):
            place.write_text("", "utf-8")
        self.temporary.mkdir(exist_ok=True)
        self._set_up_python()
        job = Job({}, {"env": {"GITHUB_ACTION_PATH": str(file.parent), "GITHUB_OUTPUT": str(self.output)}})
        runs: list[StepRun] = []
        for step in action["runs"]["steps"]:
            failed = any(run.code for run in runs)
            if "uses" in step or step["name"] == without or not _is_wanted(step, given, failed=failed):
                continue
            assert step["shell"] == "bash"
            plain = {name: item for name, item in step.items() if name not in ("shell", "id", "if")}
            plain["working-directory"] = _filled(plain.get("working-directory", "."), values)
            runs.append(self._run_step(job, plain, workspace, values))
            if "id" in step:
                values |= {f"steps.{step['id']}.outputs.{name}": item for name, item in self._outputs().items()}
        return runs, self._outputs()

    def _outputs(self) -> dict[str, str]:
        return dict(line.split("=", 1) for line in self.output.read_text("utf-8").splitlines())

    def _use(self, step: Mapping[str, Any], workspace: Path, contexts: Mapping[str, str]) -> None:
        action = step["uses"].partition("@")[0]
        options = {key: _filled(str(value), contexts) for key, value in step.get("with", {}).items()}
        if action == "actions/checkout":
            assert options["persist-credentials"] == "False"
            place = workspace / options.get("path", ".")
            revision = options.get("ref", contexts["github.sha"])
            check_out(place, contexts["repository"], revision, whole=options.get("fetch-depth") == "0")
            return
        assert action == "actions/setup-python", action
        self._set_up_python()

    def _set_up_python(self) -> None:
        tools = self.folder / "tools"
        tools.mkdir(exist_ok=True)
        for name in ("python", "python3"):
            (tools / name).unlink(missing_ok=True)
            (tools / name).symlink_to(self.python)

    def _run_step(self, job: "Job", step: Mapping[str, Any], workspace: Path, contexts: Mapping[str, str]) -> StepRun:
        script: str = step["run"]
        assert "${{" not in script, f"the step {step['name']} pastes an expression into its script"
        assert set(step) <= {"name", "run", "env", "working-directory"}, step
        environment = kept_environment()
        environment |= {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "RUNNER_TEMP": str(self.temporary),
            "TMPDIR": str(self.temporary),
            "PATH": f"{self.folder / 'tools'}{os.pathsep}{environment['PATH']}",
        }
        environment |= {name: value for name, value in contexts.items() if name.startswith(("GITHUB_", "ACTIONS_"))}
        for level in (job.workflow.get("env", {}), job.definition.get("env", {}), step.get("env", {})):
            environment |= {name: _filled(str(value), contexts) for name, value in level.items()}
        return run_script(step["name"], script, workspace / step.get("working-directory", "."), environment)


@dataclass(frozen=True)
class Job:
    """One job of a workflow."""

    workflow: Mapping[str, Any]
    definition: Mapping[str, Any]

    @classmethod
    def load(cls, file: Path) -> "Job":
        """Read a workflow with one job."""
        workflow = yaml.safe_load(file.read_text("utf-8"))
        (definition,) = workflow["jobs"].values()
        return cls(workflow, definition)

    @property
    def steps(self) -> list[dict[str, Any]]:
        return list(self.definition["steps"])

    @property
    def secrets(self) -> set[str]:
        """The names of all secrets that its steps are given."""
        values = [str(value) for step in self.steps for value in step.get("env", {}).values()]
        expressions = [found for value in values for found in _EXPRESSION.findall(value)]
        return {found.removeprefix("secrets.") for found in expressions if found.startswith("secrets.")}

    @property
    def python_version(self) -> str:
        (step,) = [step for step in self.steps if step.get("uses", "").startswith("actions/setup-python@")]
        return str(step["with"]["python-version"])


@dataclass(frozen=True)
class Interpreter:
    """Where a version of Python is on this machine."""

    version: str
    path: Path | None = field(default=None)

    @classmethod
    def find(cls, version: str) -> "Interpreter":
        """Look for `python3.x`; a shim without that version behind it is none."""
        if "{}.{}".format(*sys.version_info[:2]) == version:
            return cls(version, Path(sys.executable))
        found = shutil.which(f"python{version}")
        if found is None:
            return cls(version)
        code = "import ensurepip, sys, venv; print(sys.executable)"
        asked = subprocess.run([found, "-I", "-c", code], capture_output=True, text=True, check=False)
        return cls(version, Path(asked.stdout.strip()) if asked.returncode == 0 else None)


def _is_wanted(step: Mapping[str, Any], inputs: Mapping[str, str], *, failed: bool) -> bool:
    if failed and "!cancelled()" not in step.get("if", ""):
        return False
    return all(inputs[name] == "true" for name in re.findall(r"inputs\.([\w-]+) == 'true'", step.get("if", "")))


def _input(condition: str) -> str:
    assert re.fullmatch(r"inputs\.[\w-]+", condition), condition
    return condition


def _filled(text: str, contexts: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda match: contexts[match[1]], text)
