"""The workflow that other repositories call: tested and published with no secret but the job's identity."""

import hashlib
import json
import secrets
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from opsmail import __version__
from opsmail.cli.demo.server import HOST_NAME, mail_server
from opsmail.evidence.envelope import statement_in
from opsmail.evidence.facts import Approval
from tests.acceptance.repository import SIGNING_KEY, Operator, Repository, Server
from tests.acceptance.statements import new_pair
from tests.unit.cli.github import TOKEN, authority, github, review
from tests.unit.secrets.vault_double import ROLE, VaultDouble, running
from tests.workflows.actions import Job, Runner
from tests.workflows.generated import ROOT
from tests.workflows.release import lending_python, pip_environment, system_roots
from tests.workflows.tokens import SIGNATURE, token, token_service

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(300), pytest.mark.xdist_group("workflows")]

WORKFLOW = ROOT / ".github" / "workflows" / "publish.yml"
ADDRESS = "agendador@empresa.example"


@pytest.mark.parametrize("approval", ["false", "true"])
def test_a_job_tests_and_publishes_by_its_identity(
    tmp_path: Path, tools: Path, monkeypatch: pytest.MonkeyPatch, approval: str
) -> None:
    for name, value in pip_environment(tools / "wheels").items():
        monkeypatch.setenv(name, value)
    password, keys = secrets.token_urlsafe(12), new_pair()
    repository = Repository.make(tmp_path, keys)
    repository.git("config", "uploadpack.allowAnySHA1InWant", "true")
    (repository.root / "ca").mkdir()
    vault = VaultDouble(
        {"mail/agendador": {"password": password}, "mail/signing": {"key": keys.private}},
    )
    with (
        mail_server({ADDRESS: password}, repository.root / "ca" / "test.pem") as (where, mailbox),
        running(vault, tmp_path),
        token_service() as service,
        github([review("rita", "approved", "production")]) as api,
    ):
        vault.identity = token(vault.address)
        commit = filled(
            repository, where, tmp_path / "production.db", Path(vault.ca), tools / "wheels", approval=approval == "true"
        )
        repository.secrets |= {"password": password, "identity": SIGNATURE, "token": TOKEN}
        folder = tmp_path / "machine"
        folder.mkdir()
        variables = api.variables(commit)
        del variables["GITHUB_TOKEN"]  # the runner gives it to no step by itself
        runs = Runner(folder, lending_python(folder, *system_roots(folder, authority()))).run(
            Job.load(WORKFLOW),
            {
                "inputs.environment": "production",
                "inputs.requirements": "requirements.txt",
                "inputs.approval": approval,
                "inputs.vault-address": vault.address,
                "inputs.vault-role": ROLE,
                "inputs.vault-ca": "ca/vault.pem",
                "repository": repository.root.as_uri(),
                "github.sha": commit,
                "github.token": TOKEN,
                **variables,
                "ACTIONS_ID_TOKEN_REQUEST_URL": service.address,
                "ACTIONS_ID_TOKEN_REQUEST_TOKEN": service.bearer,
            },
        )
    steps = ("Install", "Test", "Approve", "Plan", "Publish")
    wanted = [(name, 0) for name in steps if name != "Approve" or approval == "true"]
    assert [(run.name, run.code) for run in runs] == wanted, runs
    assert [sender for sender, _ in mailbox.messages()] == [ADDRESS]
    assert "published generation 1 for production" in runs[-1].out
    # Every token was made out for this Vault, and neither it nor what it opened is seen anywhere.
    assert service.asked
    assert {parse_qs(urlsplit(path).query)["audience"][0] for path in service.asked} == {vault.address}
    canary = repository.canary()
    assert not any(canary.found(run.out.encode()) for run in runs)
    assert not canary.found((folder / "summary.md").read_bytes())
    history = repository.run("history", "--env", "production", "--format", "json", without=(SIGNING_KEY,)).json()
    assert [generation["commit"] for generation in history["generations"]] == [commit]
    assert [len(api.asked), approvers(folder)] == ([1, ["rita"]] if approval == "true" else [0, []])


def approvers(machine: Path) -> list[str]:
    """Who approved, by the statements that the job left behind."""
    files = (machine / "workspace/.opsmail/evidence").iterdir()
    facts = [statement_in(file.read_bytes()).facts for file in files]
    return [item.approver for item in facts if isinstance(item, Approval)]


def filled(
    repository: Repository, where: str, store: Path, vault_ca: Path, wheels: Path, *, approval: bool = False
) -> str:
    """Fill a repository whose secrets are all in a Vault, and return its commit.

    Args:
        repository: to be filled.
        where: the mail server.
        store: of the environment.
        vault_ca: who vouches for the Vault.
        wheels: where opsmail is installed from.
        approval: whether the gate wants approvals, and the pipeline may sign them.
    """
    (wheel,) = wheels.glob("*.whl")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    repository.write("requirements.txt", f"opsmail=={__version__} --hash=sha256:{digest}\n")
    repository.write("ca/vault.pem", vault_ca.read_text("ascii"))
    repository.settings(
        Server(host=HOST_NAME, address=where, secrets=("vault://mail/{operator}#password",)),
        recipient="opsmail-teste@empresa.example",
        more=f'[environments.production.store]\nurl = "sqlite:///{store}"\n',
    )
    repository.edit("opsmail.toml", "[gate]\n", '[gate]\nsigning_key = "vault://mail/signing#key"\n')
    kinds = 'kinds = ["test-send", "generation"]\n'
    repository.edit("opsmail.toml", kinds, f'{kinds}environments = ["production"]\n')
    if approval:
        repository.edit("opsmail.toml", '"generation"]', '"generation", "approval"]')
        repository.edit("opsmail.toml", 'require = ["test-send"]', 'require = ["test-send", "approval"]')
    repository.operator(
        Operator(
            name="agendador",
            host=HOST_NAME,
            sender=ADDRESS,
            username=ADDRESS,
            role="master",
            password="vault://mail/agendador#password",
        )
    )
    return repository.commit("Operadores")


def test_it_is_given_no_secret_and_asks_for_three_rights() -> None:
    text = WORKFLOW.read_text("utf-8")
    assert "secrets." not in text
    workflow = yaml.safe_load(text)
    assert list(workflow[True]) == ["workflow_call"]  # YAML 1.1 reads `on` as true
    assert workflow["permissions"] == {}
    (job,) = workflow["jobs"].values()
    assert job["permissions"] == {"contents": "read", "id-token": "write", "actions": "read"}
    # The token that may ask who let the job in is in nobody else's reach.
    assert {step["name"] for step in job["steps"] if "github.token" in json.dumps(step)} == {"Approve"}
    assert "github.token" not in json.dumps([workflow.get("env"), job["env"]])
    assert job["environment"] == "${{ inputs.environment }}"
    assert workflow["concurrency"]["cancel-in-progress"] is False
    described = workflow[True]["workflow_call"]["inputs"]
    assert all(given["description"] for given in described.values())
    assert json.dumps(workflow).count("inputs.") >= len(described)
