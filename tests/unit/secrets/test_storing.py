"""The steps that put a secret where it is looked for: each command is run, with stand-ins for the programs."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from opsmail.references import SecretReference
from opsmail.secrets.file import FileSecrets
from opsmail.secrets.schemes import known_schemes
from opsmail.secrets.storing import CI_SYSTEMS, Place, Readers, Step, signing_key_steps, storing_steps

VALUE = 'S3nh& com "aspas", $HOME e \\n \''
REFERENCES = (
    *("env://OPSMAIL_SECRET_RH", "keyring://opsmail/rh", "vault://secret/opsmail/rh#password"),
    *("azure-keyvault://cofre/rh", "aws-secretsmanager://opsmail/rh", "aws-secretsmanager://opsmail#rh"),
    *("gcp-secretmanager://projeto/rh", "file:///run/secrets/rh"),
)
#: Notes how it was called, and what it was given.
STAND_IN = """\
#!/bin/sh
input=$(cat; echo x)
printf '%s\\0' "$0" "$@" "${input%x}" > "$OUT"
"""
PROGRAMS = ("gh", "glab", "az", "vault", "aws", "gcloud", "keyring")


def steps(reference: str) -> list[Step]:
    return storing_steps(SecretReference.parse(reference), Readers(CI_SYSTEMS))


def run(command: str, folder: Path, typed: str, environment: dict[str, str] | None = None) -> list[str]:
    """Run a command while somebody types; return how the program was called, and what it read."""
    programs = folder / "bin"
    programs.mkdir(exist_ok=True)
    for name in PROGRAMS:
        (programs / name).write_text(STAND_IN)
        (programs / name).chmod(0o755)
    out = folder / "out"
    out.unlink(missing_ok=True)
    subprocess.run(
        ["bash", "-c", command],
        input=typed.encode(),
        env={"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "OUT": str(out), **(environment or {})},
        cwd=folder,
        check=True,
        timeout=30,
    )
    if not out.exists():
        return []
    program, *arguments, given = out.read_text().split("\0")[:-1]
    return [Path(program).name, *arguments, given]


def commands(reference: str, place: Place) -> list[str]:
    found = [step.command for step in steps(reference) if step.place is place]
    return [command for command in found if command is not None]


@pytest.mark.parametrize(
    ("reference", "called"),
    [
        ("vault://secret/opsmail/rh#password", "vault kv patch -mount=secret opsmail/rh password=-"),
        (
            "azure-keyvault://cofre/rh",
            "az keyvault secret set --vault-name cofre --name rh --file /dev/stdin --output none",
        ),
        (
            "aws-secretsmanager://opsmail/rh",
            "aws secretsmanager put-secret-value --secret-id opsmail/rh --secret-string file:///dev/stdin",
        ),
        ("gcp-secretmanager://projeto/rh", "gcloud secrets versions add rh --project=projeto --data-file=-"),
    ],
)
def test_a_manager_is_given_exactly_what_was_typed(reference: str, called: str, tmp_path: Path) -> None:
    (command,) = commands(reference, Place.MANAGER)
    assert run(command, tmp_path, f"{VALUE}\n") == [*called.split(), VALUE]


def test_gitlab_is_given_exactly_what_was_typed(tmp_path: Path) -> None:
    (command,) = commands("env://OPSMAIL_SECRET_RH", Place.GITLAB)
    called = "glab variable set OPSMAIL_SECRET_RH --scope production --protected --masked"
    assert run(command, tmp_path, f"{VALUE}\n") == [*called.split(), VALUE]


@pytest.mark.parametrize(
    ("place", "called"),
    [
        (Place.GITHUB, "gh secret set OPSMAIL_SECRET_RH --env production"),
        (
            Place.AZURE,
            "az pipelines variable-group variable create --group-id ID --name OPSMAIL_SECRET_RH --secret true",
        ),
    ],
)
def test_a_program_that_asks_is_left_to_ask(place: Place, called: str, tmp_path: Path) -> None:
    command, line = commands("env://OPSMAIL_SECRET_RH", place)
    assert run(command, tmp_path, "") == [*called.split(), ""]
    assert line.startswith("OPSMAIL_SECRET_RH: $")


def test_the_keyring_asks(tmp_path: Path) -> None:
    (command,) = commands("keyring://opsmail/rh", Place.HERE)
    assert run(command, tmp_path, "") == ["keyring", "set", "opsmail", "rh", ""]


def test_a_variable_of_this_shell(tmp_path: Path) -> None:
    (command,) = commands("env://OPSMAIL_SECRET_RH", Place.HERE)
    run(f"{command} && sh -c 'printf %s \"$OPSMAIL_SECRET_RH\" > value'", tmp_path, f"{VALUE}\n")
    assert (tmp_path / "value").read_text() == VALUE


@pytest.mark.parametrize("name", ["rh", "a b", "a'b", "$(id)", "ção"])
def test_a_file_holds_what_was_typed_and_is_its_owners_alone(name: str, tmp_path: Path) -> None:
    reference = SecretReference("file", f"{tmp_path}/{name}")
    found = [step.command for step in storing_steps(reference, Readers(())) if step.command is not None]
    assert len(set(found)) == 1
    run(found[0], tmp_path, f"{VALUE}\n")
    assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert FileSecrets().resolve(reference).reveal() == VALUE


def test_the_file_of_a_service_keeps_what_is_in_it() -> None:
    (command,) = commands("env://OPSMAIL_SECRET_RH", Place.SERVERS)
    assert command == "touch /etc/opsmail/secrets.env && chmod 600 /etc/opsmail/secrets.env"


class TestSigningKey:
    KEY = SecretReference("env", "OPSMAIL_SIGNING_KEY")
    PEM = "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"

    def commands(self) -> dict[Place, str]:
        return {step.place: step.command or "" for step in signing_key_steps(self.KEY, CI_SYSTEMS)}

    def folder(self, tmp_path: Path) -> Path:
        (tmp_path / "keys").mkdir()
        (tmp_path / "keys/ci.key").write_text(self.PEM)
        return tmp_path

    def test_it_goes_from_its_file(self, tmp_path: Path) -> None:
        folder, told = self.folder(tmp_path), self.commands()
        for place in (Place.GITHUB, Place.GITLAB):
            called = run(told[place], folder, "")
            assert called[-1] == self.PEM
            assert not any("PRIVATE" in argument for argument in called[:-1])
        run(f"{told[Place.HERE]}; sh -c 'printf %s \"$OPSMAIL_SIGNING_KEY\" > value'", folder, "")
        assert (folder / "value").read_text() == self.PEM.rstrip("\n")

    def test_azures_program_reads_it_from_its_environment(self, tmp_path: Path) -> None:
        folder, command = self.folder(tmp_path), self.commands()[Place.AZURE]
        called = run(command, folder, "")
        assert called[0] == "az"
        assert not any("PRIVATE" in argument for argument in called)
        variable = "AZURE_DEVOPS_EXT_PIPELINE_VAR_OPSMAIL_SIGNING_KEY"
        shown = f"{command.partition(' az ')[0]} sh -c 'printf %s \"${variable}\" > value'"
        run(shown, folder, "")
        assert (folder / "value").read_text() == self.PEM.rstrip("\n")

    def test_no_server_needs_it(self) -> None:
        assert set(self.commands()) == {Place.HERE, *CI_SYSTEMS}
        elsewhere = signing_key_steps(SecretReference.parse("vault://secret/opsmail#key"), CI_SYSTEMS)
        assert {step.place for step in elsewhere} == {Place.MANAGER, *CI_SYSTEMS}


@pytest.mark.parametrize("reference", REFERENCES)
def test_everybody_who_looks_for_it_is_told_something(reference: str) -> None:
    told = steps(reference)
    assert {*CI_SYSTEMS, Place.SERVERS} <= {step.place for step in told}
    assert told[0].place in (Place.HERE, Place.MANAGER)
    assert all(str(step.text) for step in told)
    only = storing_steps(SecretReference.parse(reference), Readers((), servers=False))
    assert {step.place for step in only} <= {Place.HERE, Place.MANAGER}


def test_every_built_in_kind_has_steps_and_others_have_none() -> None:
    told = {reference.partition("://")[0] for reference in REFERENCES}
    assert set(known_schemes(list)) == told
    assert storing_steps(SecretReference("pass", "rh"), Readers(CI_SYSTEMS)) == []
