"""What `opsmail init` gives as CI files works: each of their steps is executed, in a repository that `init` made."""

import json
import re
import secrets
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsmail import __version__
from opsmail.cli.demo.server import HOST_NAME, Mailbox, mail_server
from tests.acceptance.repository import SIGNING_KEY, Repository
from tests.acceptance.statements import new_pair
from tests.workflows import azure, generated, gitlab
from tests.workflows.actions import Job, Runner
from tests.workflows.machine import StepRun
from tests.workflows.release import pip_environment

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300), pytest.mark.xdist_group("workflows")]

ADDRESS, VARIABLE = "rh@empresa.example", "OPSMAIL_SECRET_EXAMPLE_BASIC"


@dataclass(frozen=True)
class Started:
    """A repository that `init` made, with a real server in the place of the example; its commit is on main."""

    repository: Repository
    commit: str
    mailbox: Mailbox
    folder: Path
    tools: Path

    @property
    def url(self) -> str:
        return self.repository.root.as_uri()

    @property
    def secrets(self) -> dict[str, str]:
        return {name: self.repository.secrets[name] for name in (SIGNING_KEY, VARIABLE)}

    def branch_with_a_mistake(self) -> str:
        """Commit a change to another branch: a port that does not fit, and modules with the names of others."""
        self.repository.git("checkout", "--quiet", "-b", "mudanca")
        self.repository.edit("operators/example-basic.yaml", "port: 587", "port: 465")
        for name in ("sitecustomize", "venv", "pip", "yaml", "opsmail", "json"):
            self.repository.write(f"{name}.py", "raise SystemExit('imported')\n")
        return self.repository.commit("Porta 465")

    def publishes(self, runs: list[StepRun]) -> None:
        """Require that all went well, and that it is published."""
        assert [run.code for run in runs] == [0] * len(runs), runs
        assert [sender for sender, _ in self.mailbox.messages()] == [ADDRESS]
        assert "published generation 1 for production" in runs[-1].out
        assert not any(self.repository.canary().found(run.out.encode()) for run in runs)
        history = self.repository.run("history", "--env", "production", "--format", "json").json()
        assert [generation["commit"] for generation in history["generations"]] == [self.commit]


@pytest.fixture
def started(
    request: pytest.FixtureRequest, tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Started]:
    """A new repository with the CI files of the system that is asked for."""
    password = secrets.token_urlsafe(12)
    repository = Repository.make(tmp_path, new_pair())
    (repository.root / ".gitignore").unlink()
    repository.run("init", ".", "--provider", "own-server", "--ci", request.param)
    for name, value in pip_environment(tools / "wheels").items():
        monkeypatch.setenv(name, value)
    (repository.root / "ca").mkdir()
    with mail_server({ADDRESS: password}, repository.root / "ca" / "test.pem") as (where, mailbox):
        adapt(repository, where, tmp_path / "production.db")
        repository.secrets[VARIABLE] = password
        repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
        yield Started(repository, repository.commit("Primeira versão"), mailbox, tmp_path / "machine", tools)
    repository.search()


def adapt(repository: Repository, where: str, store: Path) -> None:
    """Do what the README of a new repository says: put one's own in the place of the examples."""
    settings = repository.read("opsmail.toml").replace(
        'host = "smtp.example.com"', f'host = "{HOST_NAME}"\naddress = "{where}"\nca = "ca/test.pem"'
    )
    settings = settings.replace("/var/lib/opsmail/opsmail.db", str(store))
    gate = re.compile(r"^# (?=\[\[gate\.keys\]\]|file = |kinds = |environments = )", re.MULTILINE)
    repository.write("opsmail.toml", gate.sub("", settings))
    operator = repository.read("operators/example-basic.yaml").replace("example-basic@example.com", ADDRESS)
    repository.write("operators/example-basic.yaml", operator.replace("smtp.example.com", HOST_NAME))
    repository.run("check", "--fail-on", "warning")


@pytest.mark.parametrize("started", ["github"], indirect=True)
class TestGitHub:
    def contexts(self, started: Started, commit: str, event: str) -> dict[str, str]:
        given = {f"secrets.{name}": value for name, value in started.secrets.items()}
        return given | {
            "repository": started.url,
            "github.sha": commit,
            "GITHUB_EVENT_NAME": event,
            "GITHUB_ACTOR": "ana",
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": "empresa/operadores",
            "GITHUB_RUN_ID": "42",
        }

    def run(self, started: Started, name: str, contexts: dict[str, str]) -> list[StepRun]:
        job = Job.load(started.repository.root / ".github" / "workflows" / name)
        started.folder.mkdir(exist_ok=True)
        return Runner(started.folder, started.tools / "python3").run(job, contexts)

    @pytest.mark.case("W-03")
    def test_a_pull_request_is_checked(self, started: Started) -> None:
        change = started.branch_with_a_mistake()
        contexts = self.contexts(started, change, "pull_request")
        contexts |= {"github.event.pull_request.base.sha": started.commit}
        runs = self.run(started, "validate.yml", contexts)
        assert [(run.name, run.code) for run in runs] == [("Install", 0), ("Check", 1)], runs
        assert "::error file=operators/example-basic.yaml,line=10," in runs[-1].out
        assert "OM201" in (started.folder / "summary.md").read_text("utf-8")

    def test_the_merged_commit_is_published(self, started: Started) -> None:
        runs = self.run(started, "deploy.yml", self.contexts(started, started.commit, "push"))
        assert [run.name for run in runs] == ["Install", "Test", "Plan", "Publish"]
        started.publishes(runs)


@pytest.mark.parametrize("started", ["gitlab"], indirect=True)
class TestGitLab:
    def run(self, started: Started, job: str, given: dict[str, str]) -> StepRun:
        pipeline = gitlab.load(started.repository.root / ".gitlab-ci.yml")
        started.folder.mkdir(exist_ok=True)
        return gitlab.run(pipeline, f"opsmail-{job}", started.folder, started.tools, started.url, given)

    @pytest.mark.case("W-03")
    def test_a_merge_request_is_checked(self, started: Started) -> None:
        change = started.branch_with_a_mistake()
        given = {"CI_COMMIT_SHA": change, "CI_MERGE_REQUEST_DIFF_BASE_SHA": started.commit}
        run = self.run(started, "check", given)
        assert run.code == 1, run
        assert "error[OM201]" in run.out
        reports = gitlab.load(started.repository.root / ".gitlab-ci.yml")["opsmail-check"]["artifacts"]["reports"]
        quality = json.loads((started.folder / "builds" / reports["codequality"]).read_text("utf-8"))
        assert {item["location"]["path"] for item in quality} == {"operators/example-basic.yaml"}
        assert "OM201" in (started.folder / "builds" / reports["junit"]).read_text("utf-8")

    def test_the_merged_commit_is_published(self, started: Started) -> None:
        run = self.run(started, "publish", {"CI_COMMIT_SHA": started.commit, **started.secrets})
        started.publishes([run])

    def test_only_main_publishes_and_a_merge_request_does_not(self, started: Started) -> None:
        jobs = gitlab.load(started.repository.root / ".gitlab-ci.yml")
        (check,), (publish,) = jobs["opsmail-check"]["rules"], jobs["opsmail-publish"]["rules"]
        assert check["if"] == '$CI_PIPELINE_SOURCE == "merge_request_event"'
        assert "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in publish["if"]
        assert '$OPSMAIL_DEPLOY == "true"' in publish["if"]
        publishing = jobs["opsmail-publish"]
        assert publishing["environment"] == publishing["resource_group"] == "production"
        assert publishing["interruptible"] is False

    def test_the_component_is_the_same_with_inputs(self, started: Started) -> None:
        file = generated.ROOT / "templates" / "opsmail.yml"
        own = gitlab.load(started.repository.root / ".gitlab-ci.yml")
        assert gitlab.load_component(file, {"version": __version__}) == own
        elsewhere = gitlab.load_component(file, {"version": "1.2.3", "environment": "homologacao"})
        assert elsewhere["opsmail-publish"]["environment"] == "homologacao"
        assert '"opsmail==1.2.3"' in elsewhere[".opsmail"]["before_script"][-1]
        with pytest.raises(AssertionError):
            gitlab.load_component(file, {"version": '1" evil "'})


@pytest.mark.parametrize("started", ["azure"], indirect=True)
class TestAzure:
    def run(self, started: Started, job: str, commit: str, given: dict[str, str]) -> list[StepRun]:
        file = started.repository.root / "azure-pipelines.yml"
        started.folder.mkdir(exist_ok=True)
        return azure.run(file, job, started.folder, started.tools, started.url, commit, given)

    @pytest.mark.case("W-03")
    def test_a_pull_request_is_checked(self, started: Started) -> None:
        change = started.branch_with_a_mistake()
        # Azure Repos names the branch so; GitHub names it `main`.
        runs = self.run(started, "check", change, {"System.PullRequest.TargetBranch": "refs/heads/main"})
        assert [(run.name, run.code) for run in runs] == [("Install", 0), ("Check", 1)], runs
        assert "##vso[task.logissue type=error;sourcepath=operators/example-basic.yaml;linenumber=10;" in runs[-1].out

    def test_the_merged_commit_is_published(self, started: Started) -> None:
        runs = self.run(started, "publish", started.commit, started.secrets)
        assert [run.name for run in runs] == ["Install", "Test", "Plan", "Publish"]
        started.publishes(runs)

    def test_only_the_test_and_the_publish_get_secrets(self, started: Started) -> None:
        jobs = azure.load(started.repository.root / "azure-pipelines.yml")
        given = {
            step["displayName"]: set(step.get("env", {})) for step in azure.steps(jobs["publish"]) if "bash" in step
        }
        assert given == {"Install": set(), "Test": {SIGNING_KEY, VARIABLE}, "Plan": set(), "Publish": {SIGNING_KEY}}
        condition = jobs["publish"]["condition"]
        assert "eq(variables['Build.SourceBranch'], 'refs/heads/main')" in condition
        assert "ne(variables['Build.Reason'], 'PullRequest')" in condition
        assert jobs["check"]["condition"] == "eq(variables['Build.Reason'], 'PullRequest')"


# --- what needs no run


@pytest.mark.parametrize(
    ("folder", "files"),
    [(generated.ROOT, generated.own()), (generated.SAMPLE, generated.sample())],
    ids=["own", "sample"],
)
def test_the_committed_workflows_are_what_the_templates_give(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        assert (folder / path).read_text("utf-8") == text, "run `python -m tests.workflows.generated`"


def test_a_new_repositorys_workflows_give_no_secret_to_a_pull_request() -> None:
    validate, deploy = generated.sample().values()
    assert "secrets." not in validate
    jobs: dict[str, Any] = {name: yaml.safe_load(text) for name, text in (("validate", validate), ("deploy", deploy))}
    for workflow in jobs.values():
        (job,) = workflow["jobs"].values()
        assert workflow["permissions"] == {}
        assert job["permissions"] == {"contents": "read"}
    assert list(jobs["validate"][True]) == ["pull_request"]  # YAML 1.1 reads `on` as true
    assert jobs["deploy"]["jobs"]["publish"]["environment"] == "production"


def test_the_wheel_that_the_tests_install_is_one(tools: Path) -> None:
    (file,) = (tools / "wheels").iterdir()
    assert file.name == f"opsmail-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(file) as archive:
        assert {"opsmail/data/scaffold/opsmail.toml", "opsmail/py.typed"} <= set(archive.namelist())
