"""No secret gets into anything that a command writes, in whatever form, also not when something fails.

Every other test here searches for its repository's secrets as well: `Repository.search` at its end.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest
from cryptography import x509

from tests.acceptance.canary import Canary, key_secrets
from tests.acceptance.fleets import HR, MASTER, RECIPIENT, at_relay
from tests.acceptance.repository import SIGNING_KEY, KeyPair, Operator, Repository, Server, secret_name
from tests.hostile.certificates import Wish, issue, server_context
from tests.hostile.peer import Answer, Peer, conversation
from tests.published import read_json

pytestmark = pytest.mark.acceptance

PASSWORD = 'C4n&ry/"ção"+ <42>%'
USER = "rh@empresa.test"
PLAIN = base64.b64encode(f"\0{USER}\0{PASSWORD}".encode())

ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "as it is": lambda raw: raw,
    "base64": base64.b64encode,
    "base64, one before": lambda raw: base64.b64encode(b"x" + raw + b"yz"),
    "base64, two before": lambda raw: base64.b64encode(b"xy" + raw + b"z"),
    "base64 for URLs": lambda raw: base64.urlsafe_b64encode(b"\xff" + raw),
    "PLAIN": lambda raw: base64.b64encode(b"\0" + USER.encode() + b"\0" + raw),
    "an envelope": lambda raw: base64.b64encode(json.dumps({"password": raw.decode()}).encode()),
    "an envelope in a snapshot": lambda raw: base64.b64encode(b'{"payload":"' + base64.b64encode(raw) + b'"}'),
    "URL": lambda raw: quote(raw.decode()).encode(),
    "hex": lambda raw: raw.hex().encode(),
    "HEX": lambda raw: raw.hex().upper().encode(),
    "JSON": lambda raw: json.dumps({"password": raw.decode()}).encode(),
    "repr": lambda raw: repr(raw.decode()).encode(),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_searches_finds_a_secret_in_every_form(encoding: str, tmp_path: Path) -> None:
    content = b"before " + ENCODINGS[encoding](PASSWORD.encode()) + b" after"
    canary = Canary({"the password": PASSWORD})
    assert canary.found(content) == "the password"
    assert canary.found(content.replace(b"C4n", b"")[:8]) is None
    (tmp_path / "file").write_bytes(content)
    assert list(canary.found_below([tmp_path])) == [(tmp_path / "file", "the password")]


def test_what_searches_finds_a_private_key_also_without_its_frame(keys: KeyPair) -> None:
    secrets = key_secrets("the key", keys.private)
    canary = Canary(secrets)
    assert canary.found(f"{keys.private.splitlines()[1]}\n".encode()) == "the key (text)"
    octets = secrets["the key (octets)"]
    assert isinstance(octets, bytes)
    assert canary.found(b"x" + octets) == "the key (octets)"
    assert canary.found(octets.hex().encode()) == "the key (octets)"
    assert canary.found(keys.public.encode()) is None


@pytest.mark.case("X-12")
def test_no_command_shows_one_in_any_format(published: Repository) -> None:
    """The fixture searches all of it; here is only made sure that there is something to search."""
    for arguments in (
        ("check", "--format", "text", "--format", "json:out/findings.json"),
        ("test", "--format", "text:out/results.txt", "--format", "json", "--transcript", "out/transcript.txt"),
        ("evidence", "verify"),
        ("plan", "--format", "text", "--format", "json:out/plan.json", "--format", "markdown:out/plan.md"),
        ("plan", "--out", "out/saved.json"),
        ("publish", "out/saved.json"),
        ("history", "--format", "text", "--format", "json:out/history.json"),
        ("show", HR, "--format", "text", "--format", "json:out/shown.json"),
        ("rule", "OM601"),
        ("keygen", "another", "--folder", "out"),
    ):
        published.run(*arguments)
    files = {path.name for path in (published.root / "out").iterdir() if path.stat().st_size}
    assert len(files) == 10
    assert "[response]" in published.read("out/transcript.txt")
    another = Canary(key_secrets("the new key", published.read("out/another.key")))
    assert [said for said in published.shell.said if another.found(said)] == []


@pytest.mark.case("C-22")
def test_git_gets_neither_secrets_nor_their_names(published: Repository) -> None:
    published.shell.git_calls.unlink(missing_ok=True)
    published.run("publish", "--yes")
    calls = published.shell.git_calls.read_text("utf-8")
    assert calls.count("argv: ") > 5
    assert "OPSMAIL_" not in calls
    assert "PYTHON" not in calls


@pytest.fixture
def echoing(repository: Repository) -> Iterator[Repository]:
    """A fleet whose servers refuse the login and send back what they got, each in another form."""
    refusal = b"535 5.7.8 "
    echoes: dict[str, Answer] = {
        "texto": refusal + PASSWORD.encode() + b"\r\n",
        "resposta": refusal + b"failed: AUTH PLAIN " + PLAIN + b"\r\n",
        "base64": refusal + base64.b64encode(PASSWORD.encode()) + b"\r\n",
        "hex": refusal + PASSWORD.encode().hex().encode() + b"\r\n",
        "url": refusal + quote(PASSWORD).encode() + b"\r\n",
        "json": refusal + json.dumps({"password": PASSWORD}).encode() + b"\r\n",
        "linhas": b"535-5.7.8 " + PLAIN[:20] + b"\r\n" + refusal + PLAIN[20:] + b"\r\n",
        "depois": b"235 2.7.0 Welcome " + PLAIN + b"\r\n",
    }
    root = issue(Wish("Test root", authority=True))
    repository.write("ca/test.pem", root.pem)
    tls = server_context(issue(Wish(names=(x509.DNSName("*.empresa.test"),)), root))
    with ExitStack() as stack:
        servers = []
        for name, answer in echoes.items():
            peer = Peer(conversation(tls, {"AUTH": answer, "MAIL": b"550 5.1.0 " + PLAIN + b"\r\n"}))
            stack.callback(peer.stop)
            servers.append(Server(host=f"{name}.empresa.test", address=f"127.0.0.1:{peer.port}"))
            role = "master" if name == "texto" else "standard"
            operator = Operator(name=name, host=f"{name}.empresa.test", sender=USER, username=USER, role=role)
            repository.operator(operator, PASSWORD)
        repository.settings(*servers, recipient=RECIPIENT)
        repository.commit()
        yield repository


@pytest.mark.case("C-14")
def test_a_server_that_sends_the_password_back_gets_it_nowhere(echoing: Repository) -> None:
    formats = ("--format", "text", "--format", "json:out/results.json", "--transcript", "out/transcript.txt")
    shown = echoing.run("test", *formats, code=1)
    results = {item["operator"]: item for item in read_json(echoing.read("out/results.json"))["results"]}
    assert len(results) == 8
    assert {name: item["failure"]["rule"] for name, item in results.items()} == dict.fromkeys(results, "OM913") | {
        "depois": "OM926"
    }
    assert shown.out.count("[redacted]") >= 8
    assert echoing.read("out/transcript.txt").count("[redacted]") >= 8


BROKEN = """\
import os

class Vault:
    def resolve(self, reference):
        password = os.environ["OPSMAIL_SECRET_RH_NOTIFICACOES"]
        raise RuntimeError(f"no {password!r} for you, nor {reference}", password.encode())
"""


@pytest.mark.case("C-23", "L-13")
def test_the_report_of_a_defect_names_places_and_no_values(published: Repository, tmp_path: Path) -> None:
    """A package that breaks the rules stands for a defect of ours: its error carries a password."""
    install(tmp_path / "packages", "opsmail.secrets", "broken", "broken_vault:Vault", BROKEN)
    published.edit(
        "opsmail.toml", '"env://OPSMAIL_SECRET_{OPERATOR}"', '"env://OPSMAIL_SECRET_{OPERATOR}", "broken://{operator}"'
    )
    published.edit(f"operators/{HR}.yaml", f"env://{secret_name(HR)}", f"broken://{HR}")
    published.commit()
    path = published.shell.environment({}).get("PYTHONPATH", "")
    result = published.run(
        "test", HR, code=70, environment={"PYTHONPATH": f"{tmp_path / 'packages'}:{path}".rstrip(":")}
    )
    assert "a defect in opsmail: RuntimeError" in result.err
    (report,) = published.shell.temporary.glob("opsmail-defect-*.txt")
    assert str(report) in result.err
    assert report.stat().st_mode & 0o777 == 0o600
    text = report.read_text("utf-8")
    assert re.search(r"broken_vault\.py:6 in resolve\n", text)
    assert "for you" not in text + result.err


def install(folder: Path, group: str, name: str, target: str, source: str) -> None:
    """Put a package with one entry point into a folder for PYTHONPATH."""
    module = target.partition(":")[0]
    (folder / f"{module}-1.0.dist-info").mkdir(parents=True)
    (folder / f"{module}.py").write_text(source, "utf-8")
    facts = folder / f"{module}-1.0.dist-info"
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n", "utf-8")
    (facts / "entry_points.txt").write_text(f"[{group}]\n{name} = {target}\n", "utf-8")


TYPED = {
    "campo": ("password: env://OPSMAIL_SECRET_CAMPO", f"password: '{PASSWORD}'"),
    "nome-errado": ("password: env://OPSMAIL_SECRET_NOME_ERRADO", f"senha: '{PASSWORD}'"),
    "lista": ("password: env://OPSMAIL_SECRET_LISTA", f"password: ['{PASSWORD}']"),
    "usuario": ("  username: ", f"  '{PASSWORD}': x\n  username: "),
    "comentario": ("port: 587", f"port: 587  # {PASSWORD}\n  port: 465"),
    "endereco": ("password: env://", f"password: env://{PASSWORD}:"),
    "tipo": ("type: basic", f"type: '{PASSWORD}'"),
    "cifra": ("encryption: starttls", f"encryption: '{PASSWORD}'"),
    "sintaxe": ("port: 587", f"port: ['{PASSWORD}'"),
}


@pytest.mark.case("X-12")
def test_a_password_typed_into_a_file_is_not_repeated(published: Repository) -> None:
    for name, (old, new) in TYPED.items():
        published.operator(at_relay(name))
        published.edit(f"operators/{name}.yaml", old, new)
    published.commit()
    published.run("check", "--format", "text", "--format", "json:out/findings.json", code=1)
    published.run("check", "--diff", "--unsafe-fixes", "--format", "sarif:out/findings.sarif", code=1)
    found = read_json(published.read("out/findings.json"))["findings"]
    assert {Path(finding["file"]).stem for finding in found if finding["severity"] == "error"} == set(TYPED)
    for arguments, code in ((("test",), 1), (("plan",), 1), (("publish", "--yes"), 3)):
        published.run(*arguments, code=code)
    canary = Canary({"the typed password": PASSWORD})
    assert [said.decode() for said in published.shell.said if canary.found(said)] == []
    written = {path for path, _ in canary.found_below([published.root, published.shell.folder])}
    assert written == {published.root / "operators" / f"{name}.yaml" for name in TYPED}


def test_a_secret_from_a_file_is_as_secret(published: Repository, tmp_path: Path) -> None:
    place = tmp_path / "secret-of-the-master"
    place.write_text(published.secrets[secret_name(MASTER)] + "\n", "utf-8")
    place.chmod(0o600)
    published.edit("opsmail.toml", '"env://OPSMAIL_SECRET_{OPERATOR}"', f'"file://{place}"')
    published.edit(f"operators/{MASTER}.yaml", f"env://{secret_name(MASTER)}", f"file://{place}")
    published.commit()
    formats = ("--format", "text", "--format", "json:out/results.json", "--transcript", "out/transcript.txt")
    published.run("test", MASTER, *formats, without=(secret_name(MASTER),))
    place.chmod(0o644)
    result = published.run("test", MASTER, code=4, without=(secret_name(MASTER),))
    assert "other users may read or change it" in result.out


def test_a_broken_signing_key_is_not_shown(published: Repository) -> None:
    pem = published.secrets[SIGNING_KEY]
    body = pem.splitlines()[1]
    broken = pem.replace(body, f"{body}\n{body}")
    published.git("rm", "--quiet", f"operators/{HR}.yaml")
    published.commit()
    result = published.run("publish", "--yes", "--prune", HR, code=2, environment={SIGNING_KEY: broken})
    assert "hint: " in result.err
    assert published.head() == 1
