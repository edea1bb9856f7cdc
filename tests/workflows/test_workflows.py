"""`validate.yml` and `deploy.yml` do what they say: each of their `run:` steps is executed, installing included."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsmail.cli.demo.server import HOST_NAME, Mailbox, mail_server
from tests.acceptance.repository import SIGNING_KEY, Operator, Repository, Server, secret_name
from tests.acceptance.statements import new_pair
from tests.workflows.actions import Interpreter, Job, Runner
from tests.workflows.comments import NUMBER, REPOSITORY, TOKEN, GitHub, github_api
from tests.workflows.machine import StepRun

# One worker, so that the installation is done once.
pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300), pytest.mark.xdist_group("workflows")]

ROOT = Path(os.environ.get("OPSMAIL_TEST_CHECKOUT", Path(__file__).parents[2]))
WORKFLOWS = ROOT / ".github" / "workflows"

# Only what users write is replaced: everything else of the repository is what gets installed.
OURS = ("operators/", "ca/", "keys/", "opsmail.toml", "waivers.yaml", "tests/", "benchmarks/")
MASTER, OPERATORS = "agendador", ("agendador", "cobranca", "loja-pedidos", "rh-notificacoes")

UNREACHABLE = ("NewConnectionError", "ConnectTimeoutError", "NameResolutionError", "ProxyError")


@pytest.fixture(scope="module")
def runner(tmp_path_factory: pytest.TempPathFactory) -> Runner:
    """A machine with the Python that the workflows set up; where there is none, with that of the tests."""
    interpreter = Interpreter.find(Job.load(WORKFLOWS / "deploy.yml").python_version)
    folder = tmp_path_factory.mktemp("runner")
    return Runner(folder, interpreter.path or Path(sys.executable))


@dataclass(frozen=True)
class Origin:
    """A repository on a server: the tool and what one company keeps in it."""

    repository: Repository
    passwords: dict[str, str]

    def contexts(self, commit: str, event: str) -> dict[str, str]:
        """The values of expressions and variables in a run for `commit`."""
        given = {f"secrets.{secret_name(name)}": password for name, password in self.passwords.items()}
        return given | {
            f"secrets.{SIGNING_KEY}": self.repository.secrets[SIGNING_KEY],
            "repository": self.repository.root.as_uri(),
            "github.sha": commit,
            "GITHUB_EVENT_NAME": event,
            "GITHUB_ACTOR": "ana",
            "GITHUB_SERVER_URL": "https://github.example",
            "GITHUB_REPOSITORY": "empresa/operadores",
            "GITHUB_RUN_ID": "42",
        }


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Mailbox, dict[str, str], Path]]:
    """The demonstration's mail server, with an account for each operator: its address, mailbox, passwords and CA."""
    passwords = {name: secrets.token_urlsafe(12) for name in OPERATORS}
    ca = tmp_path_factory.mktemp("mail") / "ca.pem"
    with mail_server({address(name): password for name, password in passwords.items()}, ca) as (where, mailbox):
        yield where, mailbox, passwords, ca


def address(operator: str) -> str:
    return f"{operator}@empresa.example"


@pytest.fixture
def origin(tmp_path: Path, mail: tuple[str, Mailbox, dict[str, str], Path]) -> Iterator[Origin]:
    where, _, passwords, ca = mail
    repository = Repository.make(tmp_path, new_pair())
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    copy_project(repository.root)
    repository.write("ca/test.pem", ca.read_text("ascii"))
    repository.settings(
        Server(host=HOST_NAME, address=where),
        recipient="opsmail-teste@empresa.example",
        more=f'[environments.production.store]\nurl = "sqlite:///{tmp_path / "production.db"}"\n',
    )
    kinds = 'kinds = ["test-send", "generation"]\n'
    repository.edit("opsmail.toml", kinds, f'{kinds}environments = ["production"]\n')
    for name in OPERATORS:
        role = "master" if name == MASTER else "standard"
        repository.operator(
            Operator(name=name, host=HOST_NAME, sender=address(name), username=address(name), role=role)
        )
    repository.commit("Operadores")
    # On disk the passwords are nowhere; `search` looks for them.
    repository.secrets |= {secret_name(name): password for name, password in passwords.items()}
    yield Origin(repository, dict(passwords))
    repository.search()


def copy_project(folder: Path) -> None:
    """Copy what a clone of this repository would bring, changes that are not committed yet included."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:
        pytest.skip(f"{ROOT} is no git checkout, and only a checkout has workflows to run")
    for name in listed.stdout.split("\0"):
        source = ROOT / name
        if name and not name.startswith((*OURS, ".gitignore")) and source.is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, folder / name)


def installed(runs: list[StepRun]) -> None:
    """Require that the installation went well, or could not because there is no way to the packages."""
    install = runs[0]
    assert install.name == "Install"
    if install.code and os.environ.get("CI") != "true" and any(word in install.out for word in UNREACHABLE):
        pytest.skip("the packages cannot be fetched from here")
    assert install.code == 0, install.out


def test_a_pull_request_is_checked_by_the_tool_of_its_base(runner: Runner, origin: Origin) -> None:
    repository = origin.repository
    base = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "--quiet", "-b", "mudanca")
    repository.edit("operators/cobranca.yaml", "port: 587", "port: 465")
    # What the change does to the tool has no say, nor has what it approves of itself.
    repository.write("opsmail/cli/__init__.py", "raise SystemExit('changed')\n")
    repository.edit("operators/loja-pedidos.yaml", f"host: {HOST_NAME}", "host: smtp.elsewhere.example")
    entry = '[[servers]]\nhost = "smtp.elsewhere.example"\nconnections = ["587/starttls"]\nauthentication = ["basic"]\n'
    settings = (repository.root / "opsmail.toml").read_text("utf-8")
    repository.write("opsmail.toml", settings.replace("[[servers]]", f"{entry}\n[[servers]]", 1))
    change = repository.commit("Porta 465")
    contexts = origin.contexts(change, "pull_request") | {"github.event.pull_request.base.sha": base}
    runs = runner.run(Job.load(WORKFLOWS / "validate.yml"), contexts)
    installed(runs)
    assert [(run.name, run.code) for run in runs] == [("Install", 0), ("Check", 1)]
    assert "::error file=operators/cobranca.yaml,line=8,endLine=8,col=9,endColumn=12,title=OM201 " in runs[-1].out
    summary = runner.summary.read_text("utf-8")
    assert summary.startswith("<!-- opsmail check -->\n")
    assert "--> operators/cobranca.yaml:8:9  (operator cobranca)" in summary
    findings = json.loads((runner.temporary / "findings.json").read_text("utf-8"))["findings"]
    assert {("OM201", "cobranca"), ("OM209", "loja-pedidos"), ("OM805", None), ("OM806", "loja-pedidos")} <= {
        (finding["rule"], finding["operator"]) for finding in findings
    }


def test_the_merged_commit_is_tested_planned_and_published(
    runner: Runner, origin: Origin, mail: tuple[str, Mailbox, dict[str, str], Path]
) -> None:
    _, mailbox, _, _ = mail
    commit = origin.repository.git("rev-parse", "HEAD")
    before = len(mailbox.messages())
    runs = runner.run(Job.load(WORKFLOWS / "deploy.yml"), origin.contexts(commit, "push"))
    installed(runs)
    assert [(run.name, run.code) for run in runs] == [("Install", 0), ("Test", 0), ("Plan", 0), ("Publish", 0)], runs
    assert sorted(sender for sender, _ in mailbox.messages()[before:]) == [address(name) for name in OPERATORS]
    assert "4 passed, 0 failed" in runs[1].out
    assert "published generation 1 for production" in runs[3].out
    summary = runner.summary.read_text("utf-8")
    assert "4 to create" in summary
    assert all(f"`{name}`" in summary for name in OPERATORS)
    canary = origin.repository.canary()
    files = [runner.summary, *runner.temporary.glob("*.json")]
    assert {"test-results.json", "plan.json"} <= {path.name for path in files}
    written = [run.out.encode() for run in runs] + [path.read_bytes() for path in files]
    assert [text for text in written if canary.found(text)] == []
    published = runner.folder / "workspace"
    history = subprocess.run(
        [runner.temporary / "opsmail" / "bin" / "opsmail", "history", "--env", "production", "--format", "json"],
        cwd=published,
        env={"PATH": os.environ["PATH"], "HOME": str(runner.folder)},
        capture_output=True,
        check=True,
    )
    (generation,) = json.loads(history.stdout)["generations"]
    assert (generation["commit"], generation["actor"]) == (commit, "ana")


def test_what_is_not_proven_is_not_planned_nor_published(runner: Runner, origin: Origin) -> None:
    origin.passwords["cobranca"] = "a wrong password"
    commit = origin.repository.git("rev-parse", "HEAD")
    runs = runner.run(Job.load(WORKFLOWS / "deploy.yml"), origin.contexts(commit, "push"))
    installed(runs)
    assert [(run.name, run.code) for run in runs] == [("Install", 0), ("Test", 1)]
    assert "OM913 bad-credentials" in runs[-1].out
    assert "operators/cobranca.yaml:13:13" in runs[-1].out
    assert not (origin.repository.root.parent / "production.db").exists()


# --- the action

ACTION = ROOT / "action.yml"


def changed(origin: Origin) -> tuple[str, str]:
    """Commit a change with a mistake of its own; return the commit it starts from, and the change."""
    repository = origin.repository
    repository.edit("operators/agendador.yaml", "port: 587", "port: 25")
    base = repository.commit("Porta 25")
    repository.git("checkout", "--quiet", "-b", "mudanca")
    repository.edit("operators/cobranca.yaml", "port: 587", "port: 465")
    for name in ("venv", "json", "pip", "opsmail"):
        repository.write(f"{name}.py", "raise SystemExit('imported')\n")
    return base, repository.commit("Porta 465")


def act(
    runner: Runner,
    origin: Origin,
    start: str,
    change: str,
    *,
    without: str = "",
    github: GitHub | None = None,
    **inputs: str,
) -> tuple[list[StepRun], dict[str, str]]:
    """Run the action as a step of a pull request's workflow; what is not an input of it cannot be given."""
    contexts = origin.contexts(change, "pull_request") | {"github.event.pull_request.base.sha": start}
    if github is not None:
        contexts |= {"GITHUB_API_URL": github.address, "github.token": TOKEN, "GITHUB_REPOSITORY": REPOSITORY}
        contexts |= {"github.event.pull_request.number": NUMBER}
    named = {name.replace("_", "-"): value for name, value in inputs.items()}
    repository = origin.repository.root.as_uri()
    return runner.run_action(ACTION, repository, change, named, contexts, without=without)


@pytest.fixture(scope="module")
def acting(runner: Runner) -> Runner:
    """A machine on which the action has installed opsmail."""
    runner.folder.joinpath("empty").mkdir()
    repository = Repository.make(runner.folder / "empty")
    commit = repository.commit("x")
    contexts = {"github.event.pull_request.base.sha": ""}
    runs, _ = runner.run_action(ACTION, repository.root.as_uri(), commit, {"fail-on": "never"}, contexts)
    installed(runs)
    return runner


def test_the_action_marks_what_is_wrong_and_tells_how_much(acting: Runner, origin: Origin) -> None:
    base, change = changed(origin)
    ((run,), outputs) = act(acting, origin, base, change, without="Install")
    assert run.code == 1
    assert "::error file=operators/cobranca.yaml,line=8," in run.out
    assert "OM201" in acting.summary.read_text("utf-8")
    document = json.loads(Path(outputs["findings"]).read_text("utf-8"))
    counted = ("errors", "warnings", "notes")
    assert {name: int(outputs[name]) for name in counted} == {name: document["summary"][name] for name in counted}
    files = {finding["file"] for finding in document["findings"] if finding["severity"] == "error"}
    assert files == {"operators/agendador.yaml", "operators/cobranca.yaml"}
    (sarif,) = json.loads(Path(outputs["sarif"]).read_text("utf-8"))["runs"]
    assert len(sarif["results"]) == len(document["findings"])


def test_the_findings_become_one_comment_where_that_is_asked_for(acting: Runner, origin: Origin) -> None:
    base, change = changed(origin)
    with github_api() as github:
        act(acting, origin, base, change, without="Install", github=github, comment="true")
        runs, outputs = act(acting, origin, base, change, without="Install", github=github, comment="true")
        assert [(run.name, run.code) for run in runs] == [("Check", 1), ("Comment", 0)], runs
        (comment,) = github.comments
        assert comment["body"] == Path(outputs["markdown"]).read_text("utf-8")
        assert comment["body"].startswith("<!-- opsmail check -->\n")
        assert "OM201" in comment["body"]
        assert TOKEN not in "".join(run.out for run in runs)


def commented(
    acting: Runner, origin: Origin, start: str, change: str, github: GitHub
) -> tuple[list[StepRun], dict[str, str]]:
    """Run the action with a comment that tells the plan of production."""
    return act(
        acting,
        origin,
        start,
        change,
        without="Install",
        github=github,
        comment="true",
        plan="true",
        environment="production",
    )


def test_the_comment_tells_the_plan_too_by_the_store_of_the_settings_that_judge(acting: Runner, origin: Origin) -> None:
    repository = origin.repository
    base = repository.git("rev-parse", "HEAD")
    repository.git("checkout", "--quiet", "-b", "mudanca")
    repository.edit("operators/cobranca.yaml", "role: standard", "role: standard\nenabled: false")
    repository.edit("opsmail.toml", "production.db", "elsewhere.db")
    change = repository.commit("Desligado")
    with github_api() as github:
        runs, _ = commented(acting, origin, base, change, github)
        assert [(run.name, run.code) for run in runs] == [("Check", 0), ("Plan", 0), ("Comment", 0)], runs
        (comment,) = github.comments
    told, _, plan = comment["body"].partition("<!-- opsmail plan production -->\n")
    assert told.startswith("<!-- opsmail check -->\n")
    assert "4 to create" in plan
    assert "nothing published yet" in plan
    assert plan in acting.summary.read_text("utf-8")


def test_a_change_with_errors_has_no_plan_and_says_so(acting: Runner, origin: Origin) -> None:
    base, change = changed(origin)
    runs, outputs = act(
        acting, origin, base, change, without="Install", plan="true", environment="production", fail_on="never"
    )
    assert [(run.name, run.code) for run in runs] == [("Check", 0), ("Plan", 0)], runs
    assert "there is no plan for a commit with errors" in runs[1].out
    assert "opsmail plan" not in Path(outputs["markdown"]).read_text("utf-8")


def test_a_store_that_is_away_fails_the_plan_and_leaves_the_findings(acting: Runner, origin: Origin) -> None:
    repository = origin.repository
    base = repository.git("rev-parse", "HEAD")
    (repository.root.parent / "production.db").write_text("no database, and longer than the header of one would be")
    with github_api() as github:
        runs, _ = commented(acting, origin, base, base, github)
        assert [(run.name, run.code) for run in runs] == [("Check", 0), ("Plan", 4), ("Comment", 0)], runs
        (comment,) = github.comments
    assert comment["body"].startswith("<!-- opsmail check -->\n")
    assert "opsmail plan" not in comment["body"]


def test_the_actions_inputs(acting: Runner, origin: Origin) -> None:
    base, change = changed(origin)
    ((run,), _) = act(acting, origin, base, change, without="Install", new_only="true")
    assert (run.code, "operators/agendador.yaml" in run.out) == (1, False)
    ((run,), outputs) = act(
        acting, origin, base, change, without="Install", base="", fail_on="never", profile="minimal"
    )
    assert run.code == 0
    assert int(outputs["errors"]) > 0
    # Wrong settings: no findings, so no outputs, neither old ones.
    origin.repository.write("opsmail.toml", "[[")
    ((run,), outputs) = act(acting, origin, "", origin.repository.commit("x"), without="Install")
    assert (run.code, outputs) == (2, {})


def test_an_input_is_only_data(acting: Runner, origin: Origin) -> None:
    commit = origin.repository.git("rev-parse", "HEAD")
    said = "$(touch pwned) ; touch pwned"
    for runs, _ in (
        act(acting, origin, "", commit, without="Install", base=said),
        act(acting, origin, "", commit, without="Install", fail_on=said),
        act(acting, origin, "", commit, without="Install", profile=said),
    ):
        (run,) = runs
        assert run.code == 2, run
    assert not (acting.folder / "workspace" / "pwned").exists()


# --- what needs no run


def test_the_action_uploads_and_comments_only_where_that_is_allowed() -> None:
    action = load_file(ACTION)
    conditions = {step["name"]: step["if"] for step in action["runs"]["steps"] if "if" in step}
    asked = {"plan": "Plan", "comment": "Comment", "sarif": "Show as code scanning alerts"}
    assert set(conditions) == set(asked.values())
    for name, condition in ((name, conditions[step]) for name, step in asked.items()):
        assert f"inputs.{name} == 'true'" in condition
        assert "github.event.pull_request.head.repo.full_name == github.repository" in condition
        assert action["inputs"][name]["default"] == "false"


@pytest.mark.case("W-04")
def test_the_actions_steps_get_what_they_need_through_the_environment() -> None:
    action = load_file(ACTION)
    used = [step["uses"] for step in action["runs"]["steps"] if "uses" in step]
    assert [name for name in used if not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", name)] == []
    scripts = [step["run"] for step in action["runs"]["steps"] if "run" in step]
    assert [script for script in scripts if "${{" in script] == []
    assert all(item["description"] for item in (*action["inputs"].values(), *action["outputs"].values()))


def load(name: str) -> dict[Any, Any]:
    return load_file(WORKFLOWS / name)


def load_file(file: Path) -> dict[Any, Any]:
    loaded = yaml.safe_load(file.read_text("utf-8"))
    assert isinstance(loaded, dict)
    return loaded


def test_every_secret_of_the_fleet_reaches_the_test_and_no_other_step() -> None:
    referred = {
        name
        for path in (ROOT / "operators").rglob("*.yaml")
        for name in re.findall(r"env://([A-Z0-9_]+)", path.read_text("utf-8"))
    }
    job = Job.load(WORKFLOWS / "deploy.yml")
    by_step = {step["name"]: set(step.get("env", {})) for step in job.steps if "run" in step}
    assert by_step == {
        "Install": set(),
        "Test": referred | {SIGNING_KEY},
        "Plan": set(),
        "Publish": {SIGNING_KEY},
    }
    assert job.secrets == referred | {SIGNING_KEY}


@pytest.mark.case("W-01")
def test_a_pull_request_gets_no_secret_and_no_right_but_to_read() -> None:
    job = Job.load(WORKFLOWS / "validate.yml")
    assert job.secrets == set()
    assert "${{ secrets." not in (WORKFLOWS / "validate.yml").read_text("utf-8")
    assert job.workflow["permissions"] == {}
    assert job.definition["permissions"] == {"contents": "read"}
    assert list(load("validate.yml")[True]) == ["pull_request"]  # YAML 1.1 reads `on` as true


def test_only_the_protected_environment_of_main_deploys() -> None:
    job = Job.load(WORKFLOWS / "deploy.yml")
    triggers = load("deploy.yml")[True]
    assert list(triggers) == ["push"]
    assert triggers["push"]["branches"] == ["main"]
    assert job.definition["environment"] == "production"
    assert job.workflow["permissions"] == {}
    assert job.definition["permissions"] == {"contents": "read"}
    assert job.workflow["concurrency"]["cancel-in-progress"] is False


@pytest.mark.parametrize("name", sorted(path.name for path in WORKFLOWS.glob("*.yml")))
@pytest.mark.case("W-12")
def test_every_action_is_pinned_to_a_commit(name: str) -> None:
    steps = [step for job in load(name)["jobs"].values() for step in job["steps"]]
    used = [step["uses"] for step in steps if "uses" in step]
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}", action)] == []


@pytest.mark.case("W-11")
@pytest.mark.parametrize("name", ["validate.yml", "deploy.yml", "publish.yml"])
def test_what_is_installed_is_pinned_by_hashes(name: str) -> None:
    (install,) = [step["run"] for step in Job.load(WORKFLOWS / name).steps if step.get("name") == "Install"]
    fetching = [
        line for line in install.splitlines() if "/pip" in line and "--no-deps --no-build-isolation" not in line
    ]
    assert fetching
    assert [line for line in fetching if "--require-hashes" not in line] == []
