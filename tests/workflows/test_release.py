"""`release.yml`: what a tag has to fulfil, and what each job may do. Its tools are stand-ins that note their calls."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from opsmail import __version__
from tests.acceptance.repository import Repository
from tests.workflows.generated import ROOT
from tests.workflows.machine import StepRun, kept_environment, run_script

WORKFLOW = ROOT / ".github" / "workflows" / "release.yml"

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(not WORKFLOW.is_file(), reason="not a checkout: the workflow is not here"),
]

_STAND_IN = '#!/bin/sh\necho "$(basename "$0") $*" >> "$CALLS"\n'
_STAND_INS = {
    "tools/bin/hatchling": _STAND_IN + "mkdir -p dist && touch dist/opsmail-1.whl\n",
    "tools/bin/cyclonedx-py": _STAND_IN,
    "tools/bin/pypi-attestations": _STAND_IN,
    "tools/bin/uv": _STAND_IN,
    "opsmail/bin/pip": _STAND_IN,
    "opsmail/bin/opsmail": f"#!/bin/sh\necho 'opsmail {__version__}'\n",
}


def jobs() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text("utf-8"))["jobs"]
    return loaded


def script(job: str, name: str) -> str:
    (found,) = [step["run"] for step in jobs()[job]["steps"] if step.get("name") == name]
    return str(found)


class Machine:
    """A checkout of a tag, and the tools of the workflow."""

    def __init__(self, folder: Path) -> None:
        self.repository = Repository.make(folder)
        self.repository.commit("x")
        self.repository.git("update-ref", "refs/remotes/origin/main", "HEAD")
        self._folder = folder
        for name, text in _STAND_INS.items():
            program = folder / name
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text(text, "utf-8")
            program.chmod(0o755)

    def run(self, job: str, name: str, tag: str = f"v{__version__}") -> StepRun:
        environment = kept_environment() | {"RUNNER_TEMP": str(self._folder), "CALLS": str(self.calls), "TAG": tag}
        return run_script(name, script(job, name), self.repository.root, environment)

    @property
    def calls(self) -> Path:
        return self._folder / "calls"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_a_tag_on_main_is_built_and_described(machine: Machine) -> None:
    assert machine.run("build", "Build").code == 0
    assert machine.run("build", "Describe").code == 0
    calls = machine.calls.read_text("utf-8").splitlines()
    assert [call.split()[0] for call in calls] == ["hatchling", "pip", "pip", "cyclonedx-py"]
    assert calls[1].endswith("--no-deps dist/opsmail-1.whl")


def test_a_tag_that_is_not_what_was_built_ends_it(machine: Machine) -> None:
    run = machine.run("build", "Build", tag="v9.9")
    assert (run.code, f"::error::v9.9 is not opsmail {__version__}" in run.out) == (1, True)


def test_a_tag_beside_main_ends_it_before_anything_is_built(machine: Machine) -> None:
    machine.repository.write("x", "x")
    machine.repository.commit("Not on main")
    run = machine.run("build", "Build")
    assert (run.code, "is not on main" in run.out) == (1, True)
    assert not machine.calls.exists()


def test_what_is_published_was_signed_first_and_needs_no_password(machine: Machine) -> None:
    (machine.repository.root / "dist").mkdir()
    (machine.repository.root / "dist" / "opsmail-1.whl").touch()
    assert machine.run("publish", "Publish").code == 0
    assert machine.calls.read_text("utf-8").splitlines() == [
        "pypi-attestations sign dist/opsmail-1.whl",
        "uv publish --trusted-publishing always dist/opsmail-1.whl",
    ]
    assert "secrets." not in WORKFLOW.read_text("utf-8")


def test_each_job_may_do_only_what_it_has_to() -> None:
    assert {name: job["permissions"] for name, job in jobs().items()} == {
        "build": {"contents": "read"},
        "publish": {"contents": "read", "id-token": "write", "attestations": "write"},
        "announce": {"contents": "write"},
    }
    assert [name for name, job in jobs().items() if job.get("environment")] == ["publish"]
    assert jobs()["publish"]["needs"] == "build"


def test_all_tools_are_installed_by_their_hashes() -> None:
    for job in ("build", "publish"):
        installs = [line for line in script(job, "Install").splitlines() if "install" in line]
        assert installs
        assert [line for line in installs if "--require-hashes -r requirements/" not in line] == []
