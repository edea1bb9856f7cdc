"""`opsmail import`: an old form's table becomes operator files, all or none, and no password comes along."""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsmail.cli import importing
from tests.acceptance.canary import Canary
from tests.unit.cli.checkout import HOST, Checkout

PASSWORD = 'C4n&ry/"ção"+ <42>%'
HEAD = "Operador;Tipo de autenticação;Servidor SMTP;Porta;Remetente;Usuário;Senha;SSL/TLS;Mestre;Observações"
MASTER = f"Chefe;Básica;{HOST};587;chefe@empresa.test;chefe@empresa.test;{{password}};Sim;Sim;x"
RH = f"RH Notificações;Básica;{HOST};587;rh@empresa.test;rh@empresa.test;{{password}};SSL/TLS;Não;"


@pytest.fixture(autouse=True)
def day(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "today", lambda: date(2026, 11, 24))


def table(*rows: str, password: str = "s3nh4") -> str:
    cell = '"{}"'.format(password.replace('"', '""'))
    return "\n".join([HEAD, *(row.format(password=cell) for row in rows), ""])


@pytest.fixture
def old(checkout: Checkout) -> Checkout:
    """A repository with a catalogue, no operators, and the table of the old form."""
    checkout.settings()
    checkout.write("form.csv", table(MASTER, RH))
    return checkout


def files(checkout: Checkout) -> list[str]:
    return sorted(str(path.relative_to(checkout.root)) for path in (checkout.root / "operators").rglob("*.yaml"))


def written(checkout: Checkout, name: str) -> Any:
    return yaml.safe_load(checkout.read(f"operators/{name}.yaml"))


# --- what comes of a table


def test_a_clean_table_passes_the_check(old: Checkout) -> None:
    said = old.run("import", "form.csv")
    assert files(old) == ["operators/chefe.yaml", "operators/rh-notificacoes.yaml"]
    assert written(old, "rh-notificacoes") == {
        "version": 1,
        "operator": "rh-notificacoes",
        "name": "RH Notificações",
        "role": "standard",
        "sender": {"address": "rh@empresa.test"},
        "server": {"host": HOST, "port": 587, "encryption": "starttls"},
        "authentication": {
            "type": "basic",
            "username": "rh@empresa.test",
            "password": "env://OPSMAIL_SECRET_RH_NOTIFICACOES",
        },
    }
    assert old.read("operators/chefe.yaml").startswith("# yaml-language-server: $schema=../schemas/")
    assert said.out.startswith("operators/chefe.yaml  row 2\noperators/rh-notificacoes.yaml  row 3\n\nenv://")
    assert "columns that may hold secrets, and were not read: `Senha`" in said.err
    assert "columns that are not known, and were not read: `Observações`; `--map COLUMN=FIELD`" in said.err
    assert "wrote 2 operator files" in said.err
    old.run("check", "--fail-on", "error")


def test_the_secrets_are_those_that_the_command_of_this_name_shows(old: Checkout) -> None:
    imported = old.run("import", "form.csv", "--format", "json").json()
    shown = old.run("secrets", "--format", "json").json()["secrets"]
    facts = ("reference", "operators", "steps")
    operators = [{name: secret[name] for name in facts} for secret in shown if secret["operators"]]
    assert [{name: secret[name] for name in facts} for secret in imported["secrets"]] == operators
    assert {secret["state"] for secret in imported["secrets"]} == {"not-tried"}


def test_what_needs_a_person_is_told_and_the_files_are_written(old: Checkout) -> None:
    old.write("form.csv", table(MASTER, RH.replace("Básica", "Moderna (OAuth 2.0)").replace("587", "porta")))
    said = old.run("import", "form.csv", "--format", "text", "--format", "json:out/report.json", code=1)
    assert "operators/rh-notificacoes.yaml  row 3\n" in said.out
    assert "  server.port: `Porta` is no number from 1 to 65535\n" in said.out
    assert "  server.encryption: `SSL/TLS` says that there is encryption, and the port does not tell which" in said.out
    assert "  authentication.tenant: `authentication` lacks the field `tenant`\n" in said.out
    assert "1 of them needs a person" in said.err
    report = json.loads(old.read("out/report.json"))
    assert report["schema"] == "opsmail/import/v1"
    assert report["written"] is True
    assert report["columns"]["secret"] == ["`Senha`"]
    assert report["columns"]["unknown"] == ["`Observações`"]
    assert report["columns"]["read"]["Servidor SMTP"] == "server.host"
    chefe, rh = report["operators"]
    assert chefe == {"operator": "chefe", "file": "operators/chefe.yaml", "row": 2, "needs": []}
    assert {need["path"] for need in rh["needs"]} == {
        "server.port",
        "server.encryption",
        "authentication.tenant",
        "authentication.client_id",
    }
    assert written(old, "rh-notificacoes")["server"] == {"host": HOST}


def test_what_the_check_says_of_the_files_is_shown(old: Checkout) -> None:
    old.write("form.csv", table(MASTER, RH.replace(HOST, "smtp.other.test"), RH.replace("Não", "Sim")))
    said = old.run("import", "form.csv", "--format", "json", code=1)
    found = {(finding["operator"], finding["rule"]) for finding in said.json()["findings"]}
    assert {("rh-notificacoes", "OM209"), ("rh-notificacoes-2", "OM702")} <= found
    assert "error[OM209]: the server `smtp.other.test` is not approved" in said.err


def test_without_a_master_somebody_has_to_say_who_it_is(old: Checkout) -> None:
    old.write("form.csv", table(RH))
    assert "error[OM701]" in old.run("import", "form.csv", code=1).err
    old.operator("chefe", role="master")
    old.run("import", "form.csv", "--force")


# --- what is said of it


def test_columns_and_defaults_of_ones_own(old: Checkout) -> None:
    old.write("form.csv", f"Máquina,Porta,Remetente,Senha,Equipe\n{HOST},587,rh@empresa.test,s3nh4,rh\n")
    options = ["--map", "Máquina=server.host", "--map", "Equipe=labels.team", "--default", "role=master"]
    for default in (
        "authentication.type=basic",
        "server.encryption=starttls",
        "authentication.username=rh@empresa.test",
    ):
        options += ["--default", default]
    old.run("import", "form.csv", *options)
    assert written(old, "rh")["labels"] == {"team": "rh"}
    old.run("check", "--fail-on", "error")


@pytest.mark.parametrize(
    ("wanted", "reference"),
    [
        ((), "vault://mail/smtp/chefe#password"),
        (("--secrets", "vault"), "vault://mail/smtp/chefe#password"),
        (("--secrets", "env"), "env://OPSMAIL_SECRET_CHEFE"),
        (("--secrets", "file"), "file:///run/secrets/opsmail-chefe"),
        (("--secrets", "keyring"), "keyring://opsmail/chefe"),
        (("--secrets", "aws-secretsmanager"), "aws-secretsmanager://opsmail/chefe"),
        (("--secrets", "azure-keyvault://kv/mail-{operator}"), "azure-keyvault://kv/mail-chefe"),
        (("--secrets", "env://MAIL_*"), "env://MAIL_CHEFE"),
    ],
)
def test_where_the_secrets_will_be(old: Checkout, wanted: tuple[str, ...], reference: str) -> None:
    old.edit("opsmail.toml", '["env://OPSMAIL_SECRET_{OPERATOR}"]', '["vault://mail/smtp/*#password"]')
    old.write("form.csv", table(MASTER))
    old.run("import", "form.csv", *wanted, code=None)
    assert written(old, "chefe")["authentication"]["password"] == reference


def test_a_scheme_whose_place_is_the_settings_own_is_not_taken(old: Checkout) -> None:
    old.edit("opsmail.toml", '["env://OPSMAIL_SECRET_{OPERATOR}"]', '["env://OPSMAIL_SIGNING_KEY"]')
    old.write("form.csv", table(MASTER))
    old.run("import", "form.csv", "--secrets", "env", code=1)
    assert written(old, "chefe")["authentication"]["password"] == "env://OPSMAIL_SECRET_CHEFE"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("azure-keyvault", "of `azure-keyvault` it has to be said where"),
        ("valut", "did you mean `vault`?"),
        ("qqqqqq", "known: aws-secretsmanager"),
        ("vault://a/b#c", "no pattern of references"),
        ("vault://{operator}", "no pattern of references"),
        ("nobody://x/{operator}", "no pattern of references"),
        ("vault://*/x", "no pattern of references"),
    ],
)
def test_where_they_cannot_be(old: Checkout, wanted: str, message: str) -> None:
    assert message in old.run("import", "form.csv", "--secrets", wanted, code=2).err
    assert files(old) == []


def test_the_kind_of_a_credential_is_what_the_catalogue_allows(old: Checkout) -> None:
    old.edit("opsmail.toml", '["env://OPSMAIL_SECRET_{OPERATOR}"]', '["env://OPSMAIL_SECRET_{OPERATOR}", "federated"]')
    old.write("form.csv", table(MASTER.replace("Básica", "Moderna")))
    old.run("import", "form.csv", code=1)
    assert written(old, "chefe")["authentication"]["credential"] == {"kind": "federated"}


def test_another_folder(old: Checkout) -> None:
    old.run("import", "form.csv", "--folder", "operators/matriz")
    assert files(old) == ["operators/matriz/chefe.yaml", "operators/matriz/rh-notificacoes.yaml"]
    assert old.read("operators/matriz/chefe.yaml").startswith("# yaml-language-server: $schema=../../schemas/")
    assert "operators are not looked for in x" in old.run("import", "form.csv", "--folder", "x", code=2).err


# --- all or nothing


def test_a_dry_run_says_the_same_and_writes_nothing(old: Checkout) -> None:
    dry = old.run("import", "form.csv", "--dry-run")
    assert "2 operator files would be written" in dry.err
    assert files(old) == []
    assert old.run("import", "form.csv").out == dry.out


def test_what_is_there_is_overwritten_only_when_it_is_said(old: Checkout) -> None:
    old.run("import", "form.csv")
    old.write("operators/x/rh-notificacoes.yaml", "mine")
    (old.root / "operators/rh-notificacoes.yaml").unlink()
    for option in ((), ("--dry-run",)):
        said = old.run("import", "form.csv", *option, code=3).err
        assert "operators/chefe.yaml, operators/x/rh-notificacoes.yaml exist and are not overwritten" in said
        assert "`--force` writes in their place" in said
    assert old.read("operators/x/rh-notificacoes.yaml") == "mine"
    old.write("form.csv", table(MASTER, RH, RH.replace("RH Notificações", "Folha")))
    old.run("import", "form.csv", "--force")
    assert files(old) == ["operators/chefe.yaml", "operators/folha.yaml", "operators/x/rh-notificacoes.yaml"]
    assert "operator: rh-notificacoes" in old.read("operators/x/rh-notificacoes.yaml")


def test_half_of_it_is_never_left(old: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    old.write("operators/chefe.yaml", "mine")
    old.write("operators/rh-notificacoes.yaml", "mine, too")
    real, calls = os.fsync, iter(range(9))

    def full(descriptor: int) -> None:
        if next(calls) == 1:
            raise OSError(28, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left on device" in old.run("import", "form.csv", "--force", code=4).err
    assert old.read("operators/chefe.yaml") == "mine"
    assert old.read("operators/rh-notificacoes.yaml") == "mine, too"


def test_one_row_that_cannot_be_read_stops_all(old: Checkout) -> None:
    old.write("form.csv", table(MASTER, RH + ";more"))
    assert "error: row 3 has 11 cells, but 10 columns have names" in old.run("import", "form.csv", code=2).err
    assert files(old) == []


def test_a_table_without_rows(old: Checkout) -> None:
    old.write("form.csv", HEAD)
    assert "the table has no rows" in old.run("import", "form.csv", code=2).err


# --- hostile cells


@pytest.mark.parametrize(
    "cell",
    [
        *("a: b", "- a", "&a", "*a", "!!python/object:os.system", "yes", "0123", "{a: b}", "#", "'", '"', "%a", "=1+1"),
        *("a\nrole: master", "a\tb", "a\u2028b", "a\x1b[2J", "\ufeff", "---", "null", "~", "1e3"),
    ],
)
def test_a_cell_is_a_value_or_is_left_out(old: Checkout, cell: str) -> None:
    quoted = '"{}"'.format(cell.replace('"', '""'))
    old.write("form.csv", f"Operador,Servidor,Nome,Descrição do remetente\nrh,{quoted},x,{quoted}\n")
    old.run("import", "form.csv", "--map", "Descrição do remetente=sender.display_name", code=1)
    data = written(old, "rh")
    assert data["role"] == "standard" if "role" in data else True
    for value in (data.get("server", {}).get("host"), data.get("sender", {}).get("display_name")):
        assert value in {None, cell.strip()}
    assert set(data) <= {"version", "operator", "name", "server", "sender"}


# --- the password


def as_database(path: Path, password: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE form (Operador, Servidor, Porta, Remetente, Senha, Client_Secret)")
        row = ("rh", HOST, 587, "rh@empresa.test", password, password)
        connection.execute("INSERT INTO form VALUES (?, ?, ?, ?, ?, ?)", row)


def sources(folder: Path) -> dict[str, tuple[str, ...]]:
    """Write a table of each kind with the password in it, right and wrong ones, and return the arguments for each."""
    quoted = '"{}"'.format(PASSWORD.replace('"', '""'))
    right = f"Operador,Servidor,Porta,Remetente,Senha\nrh,{HOST},587,rh@empresa.test,{quoted}\n"
    document = [{"Operador": "rh", "Servidor": HOST, "Senha": PASSWORD, "authentication": {"password": PASSWORD}}]
    own = {"rh": {"version": 1, "server": {"host": HOST}, "authentication": {"type": "basic", "password": PASSWORD}}}
    texts = {
        "right.csv": right,
        "by-map.csv": right.replace("Senha", "Dado"),
        "shifted.csv": right.replace("rh@empresa.test,", ""),
        "longer.csv": right.replace("587,", f"587,{quoted},"),
        "in-port.csv": f"Servidor,Porta,Criptografia,Ativo,Tipo de autenticação\n{HOST}{f',{quoted}' * 4}\n",
        "quotes.csv": right + f'a,b,"{PASSWORD}"x,c,d\n',
        "headless.csv": right.partition("\n")[2],
        "half-headless.csv": right.partition("\n")[2].replace("rh,", "Servidor,"),
        "latin.csv": right + "é",
        "right.json": json.dumps(document),
        "own.json": json.dumps({"generation": 1, "operators": own}),
        "broken.json": json.dumps(document, ensure_ascii=False)[:-1],
        "twice.json": f'[{{"Senha": {json.dumps(PASSWORD)}, "Senha": {json.dumps(PASSWORD)}}}]',
        "row.json": json.dumps([PASSWORD]),
    }
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode("latin-1" if name.startswith("latin") else "utf-8"))
    as_database(folder / "form.db", PASSWORD)
    found: dict[str, tuple[str, ...]] = {name: (name,) for name in texts}
    found["by-map.csv"] += ("--map", "Dado=")
    found |= {"database": ("form.db", "--table", "form"), "no table": ("form.db", "--table", "x")}
    found |= {"mapped": ("right.csv", "--map", "Senha=name"), "pattern": ("right.csv", "--secrets", "nobody://x")}
    return found


NAMES = (
    *("right.csv", "by-map.csv", "shifted.csv", "longer.csv", "in-port.csv", "quotes.csv", "headless.csv"),
    *("half-headless.csv", "latin.csv", "right.json", "own.json", "broken.json", "twice.json", "row.json"),
    *("database", "no table", "mapped", "pattern"),
)


@pytest.mark.parametrize("name", NAMES)
def test_the_password_is_nowhere(checkout: Checkout, tmp_path: Path, name: str) -> None:
    source = tmp_path / "source"
    source.mkdir()
    checkout.settings()
    first, *more = sources(source)[name]
    canary = Canary({"the password": PASSWORD})
    formats = ("--format", "json:out/report.json", "--format", "text")
    said = checkout.run("import", source / first, *more, *formats, code=None)
    assert said.out or said.err.startswith("error: ")
    assert canary.found((said.out + said.err).encode()) is None
    assert list(canary.found_below([checkout.root])) == []


def test_the_list_of_sources_is_whole(tmp_path: Path) -> None:
    assert tuple(sources(tmp_path)) == NAMES


@pytest.mark.parametrize("target", ["opsmail.transfer.operators.operator_id", "opsmail.cli.importing.plain_text"])
def test_neither_in_the_report_of_a_defect(
    checkout: Checkout, tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*arguments: object, **options: object) -> None:
        raise RuntimeError(PASSWORD)

    monkeypatch.setattr(target, broken)
    reports = tmp_path / "reports"
    reports.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(reports))
    checkout.settings()
    (tmp_path / "form.csv").write_text(table(MASTER, password=PASSWORD), "utf-8")
    said = checkout.run("import", tmp_path / "form.csv", code=70)
    canary = Canary({"the password": PASSWORD})
    assert canary.found((said.out + said.err).encode()) is None
    assert len(list(reports.iterdir())) == 1
    assert list(canary.found_below([reports, checkout.root])) == []


def test_the_password_of_a_database_is_a_reference(old: Checkout) -> None:
    said = old.run("import", "postgresql://u@localhost/x", "--table", "t", "--password", "s3nh4-typed", code=2).err
    assert "--password: this is no reference" in said
    said = old.run("import", "postgresql://u@localhost/x", "--table", "t", "--password", "env://NOT_SET_X", code=4).err
    assert "NOT_SET_X" in said
    said = old.run("import", "postgresql://u@db/x", "--table", "t", "--ca", "nowhere.pem", code=2).err
    assert "nowhere.pem cannot be read" in said


def test_many(old: Checkout) -> None:
    rows = (RH.replace("RH Notificações", f"op {number}").replace("rh@", f"rh{number}@") for number in range(3_000))
    old.write("form.csv", table(MASTER, *rows))
    old.run("import", "form.csv", "--dry-run", code=None)
