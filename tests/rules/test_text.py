"""OM605 beyond the example of its page: what looks like a secret, what does not, and that nothing of it is shown."""

from __future__ import annotations

import random
import string

import pytest

from opsmail.check import detection
from opsmail.check.detection import FORMAL_FIELDS, SECRET_FIELDS, holds_secret, looks_like_token, looks_secret
from opsmail.check.disclosure import Disclosure
from opsmail.findings import Finding, Span
from opsmail.operator.model import Operator
from tests.rules.checking import told

SECRETS = """\
 senha: Troque@2027
 senha antiga: Troque@2027
 senha=empresa2024
 Senha do RH: Rh#2024!
 a senha é Xk9!mmQ2
 senha: 123456
 senha de app: qzxvlkjhmnbvpoiu
 qzxv lkjh mnbv poiu
 client secret antigo: Zx8-9kLmNoPqRsTuVw
 password: hunter2
 password is Summer2024!
 passphrase: correct-Horse7battery
 pwd=P@ssw0rd
 user=rh pwd: "Abc@12345"
 api_key = 9f8e7d6c5b4a
 token = a1b2c3d4e5f6a7b8c9d0
 smtp://rh:Abc12345@smtp.empresa.com.br
 postgresql://app:T0p-secret@db/opsmail
 -----BEGIN RSA PRIVATE KEY-----
 -----BEGIN PRIVATE KEY-----
 AKIAIOSFODNN7EXAMPLE
 ghp_0123456789abcdefghijABCDEFGHIJ0123456
 github_pat_11ABCDEFG0abcdefghijklmnop
 glpat-xxxxxxxxxxxxxxxxxxxx
 xoxb-123456789012-abcdefghijkl
 SG.abcdefghijklmnopqrst.ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefg
 key-0123456789abcdef0123456789abcdef
 xsmtpsib-0123456789abcdef0123456789abcdef
 AIzaSyA-0123456789abcdefghijklmnopqrstuv
 GOCSPX-abcdefghijklmnopqrstuvwxyz
 eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.x
 abc8Q~dEfGhIjKlMnOpQrStUvWxYz0123456789ab
 hvs.CAESIJabcdefghijklmnopqrst
 AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQ
 sk_live_0123456789abcdefABCDEF
 q8Zt3LmW0xKp7VnR2cYb5HdF
""".splitlines()
HARMLESS = """\
 senha: no cofre da TI
 senha: pedir ao João
 senha: chamado 4711
 senha: chamado-4711
 senha: CHG0042137
 senha: INC-20231
 senha: env://OPSMAIL_SECRET_RH
 senha: vault://kv/rh#senha
 senha: kv/rh/smtp2#senha
 senha: OPSMAIL_SECRET_RH
 senha: sete-palavras-em-papel
 senha: <ver cofre>
 senha: ********
 senha: xxxxxxxx
 senha: ti@empresa.com.br
 senha: 90dias
 senha: 10.0.0.12
 senha: trocada em 01/05/2027
 senha: 2027-05-01
 a senha é a mesma do AD
 a senha é trocada a cada 90 dias
 a senha perdida? ligar para: 11999998888
 senha de app de 16 letras
 senha de app, criada na conta depois da verificação em duas etapas
 OAuth 2.0: nenhuma senha é enviada
 token expira em 2027-05-01
 token: expira em 01/05/2027
 o token é renovado pelo agendador
 token: 1h
 token_cache: keyring://opsmail/rh
 chave: RSA2048
 chave pix: 11999998888
 chave de acesso: 35240812345678000190550010000012341000012345
 a chave é pública
 segredo: <no Key Vault>
 secretaria: Sala12B
 secretário: ramal 4021
 password: ${SMTP_PASSWORD}
 password: get_password(rh)
 Password rotation: every 90 days
 password policy: NIST SP 800-63B
 secret expires 2027-05-01
 key: value
 trocado em 2026-11-23 por causa do chamado 4711 (INC-20231)
 cada loja deve usar esta conta
 work only with this host
 usar smtp port html
 porta 465 = implicit-tls
 no máximo 30/min
 tls 1.2+; ver RFC8314
 contato: ti@empresa.com.br
 rev. 3 de 12/11/2026, ver wiki/Pages/SMTP-AUTH-2026
 https://docs.google.com/document/d/1A2b3C4d5E6f7G8h9I0jKlMnOpQrStUvWxYz/edit
 https://empresa.sharepoint.com/:w:/s/TI/EaB3x9kLmN0pQrStUvWxYz12345678?e=AbC123
 https://user:senha@exemplo.com.br
 11111111-2222-3333-4444-555555555555
 commit 9fceb02d0ae598e95dc970b74767f19372d61af8
 change If91f61527236fd4d7ae3cad1f24c38be921c90ba
 sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
 SHA256:uNiVztksCsDhcc0u9e8BgrJXVGDTz1Hj3kLmN0pQrSt
 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIKq2xYzAbCdEfGhIjKlMnOpQrStUvWx rh@host
 v=DKIM1; k=rsa; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQC3x
 NotificacoesDosRecursosHumanos2027
 compartilhamento de caixas postais entre departamentos
 a caixa é monitorada: não responder, o RH avisa por telefone (ramal 4021)
 Alertas de espaço em disco e de backup, pelo relay da rede dos servidores
 O Gmail troca qualquer outro remetente pelo endereço da conta.
 Boletos e lembretes de vencimento. O módulo de cobrança só fala TLS ("SSL" no formulário).
""".splitlines()


@pytest.mark.parametrize("text", SECRETS)
def test_what_looks_like_a_secret(text: str) -> None:
    assert looks_secret(text)


@pytest.mark.parametrize("text", HARMLESS)
def test_what_people_write_in_comments_is_none(text: str) -> None:
    assert not looks_secret(text)


def test_random_texts_are_found_and_words_are_not() -> None:
    source = random.Random(605)
    alphabet = string.ascii_letters + string.digits
    tokens = ["".join(source.choices(alphabet, k=32)) for _ in range(500)]
    assert sum(map(looks_like_token, tokens)) > 430
    words = [
        "".join(source.choices(["Recursos", "Folha", "Envio", "Nota", "Fiscal", "Boleto2"], k=8)) for _ in range(500)
    ]
    assert sum(map(looks_like_token, words)) == 0


def test_the_cheap_look_misses_nothing() -> None:
    assert all(detection.may_hold_secret(text) for text in SECRETS)
    assert not detection.may_hold_secret(" Avisos de holerite, férias e ponto")


def test_each_field_of_an_operator_is_for_secrets_has_a_form_or_is_free() -> None:
    described = Disclosure.of(Operator)
    assert described.secret == SECRET_FIELDS
    assert described.public - {"name", "sender.display_name", "labels.*"} == FORMAL_FIELDS


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("authentication.client_id", "abc8Q~dEfGhIjKlMnOpQrStUvWxYz0123456789ab", True),
        ("authentication.client_id", "11111111-2222-3333-4444-555555555555", False),
        ("authentication.username", "AKIAIOSFODNN7EXAMPLE", False),  # Amazon's user name
        ("authentication.username", "ghp_0123456789abcdefghijABCDEFGHIJ0123456", True),
        ("authentication.tenant", "AKIAIOSFODNN7EXAMPLE", True),
        ("server.host", "SMTP.EMPRESA.COM.BR", False),
        ("authentication.password", "Troque@2027", False),  # OM601 says so
        ("sender.display_name", "Senha: Troque@2027", True),
        ("labels.senha", "Troque@2027", True),
        ("labels.equipe", "Troque@2027", False),
        ("paswd", "Troque@2027", True),
    ],
)
def test_fields_are_judged_by_what_they_are_for(path: str, value: str, expected: bool) -> None:
    assert holds_secret(path, value) is expected


FILE = """\
version: 1
operator: rh
name: Avisos # {comment}
sender: {{address: rh@empresa.com.br, display_name: "RH #1 {quoted}"}}
server: {{host: smtp.empresa.com.br, port: 587, encryption: starttls}}
authentication: {{type: basic, username: rh@empresa.com.br, password: "env://OPSMAIL_SECRET_RH"}}
labels:
  equipe: {label}
"""


def found(comment: str = "rh", quoted: str = "", label: str = "rh") -> list[Finding]:
    return told({"rh": FILE.format(comment=comment, quoted=quoted, label=label)})


def test_a_comment_is_marked_where_it_starts() -> None:
    (finding,) = found(comment="senha: Troque@2027")
    assert (finding.rule.id, finding.span, finding.path) == ("OM605", Span(3, 14, 3, 15), "")
    assert "Troque" not in repr(finding)


def test_a_hash_inside_a_value_starts_no_comment() -> None:
    (finding,) = found(quoted="# senha: Troque@2027")
    assert finding.path == "sender.display_name"
    assert found(comment="rua#2027 #senha") == []


def test_a_hash_inside_a_word_starts_no_comment() -> None:
    text = FILE.format(comment="senha: Troque@2027", quoted="", label="rh").replace("Avisos", "Avisos#1")
    (finding,) = told({"rh": text})
    assert finding.span == Span(3, 16, 3, 17)


def test_no_more_is_told_than_helps() -> None:
    text = FILE.format(comment="rh", quoted="", label="rh")
    assert len(told({"rh": text + "# senha: Troque@2027\n" * 30})) == 20


@pytest.mark.parametrize("end", ["", "\n"])
def test_the_last_and_the_first_line_count_too(end: str) -> None:
    text = FILE.format(comment="rh", quoted="", label="rh")
    (last,) = told({"rh": f"{text}# senha: Troque@2027{end}"})
    (first,) = told({"rh": f"# senha: Troque@2027\n{text}"})
    assert (last.span, first.span) == (Span(9, 1, 9, 2), Span(1, 1, 1, 2))


def test_a_label_is_marked_at_its_name_and_a_name_that_is_a_token_not_at_all() -> None:
    (finding,) = found(label="ghp_0123456789abcdefghijABCDEFGHIJ0123456")
    assert (finding.span, finding.path) == (Span(8, 3, 8, 9), "labels.equipe")
    text = FILE.format(comment="rh", quoted="", label="rh").replace(
        "equipe:", "ghp_0123456789abcdefghijABCDEFGHIJ0123456:"
    )
    (finding,) = told({"rh": text})
    assert (finding.span, finding.path) == (Span(8, 3, 8, 4), "labels")


def test_a_file_that_is_no_operator_is_looked_at_too() -> None:
    rules = [finding.rule.id for finding in told({"rh": "version: 1\nsenha: Troque@2027\nlabels: [a]\n"})]
    assert "OM605" in rules
    assert "OM102" in rules


def test_neither_the_secret_nor_its_length_is_in_any_finding() -> None:
    shown = []
    for secret in ("Kanarie@2027x", "Kanarie@2027xyz0123456789"):
        text = FILE.format(comment=f"senha: {secret}", quoted=f"senha: {secret}", label=f"token={secret}")
        findings = told({"rh": f"{text}  senha: {secret}\nsenha: {secret}\n"})
        assert {finding.rule.id for finding in findings} == {"OM605", "OM101"}
        shown.append(repr(findings))  # places and excerpts too
        assert "Kanarie" not in shown[-1]
    assert shown[0] == shown[1]
