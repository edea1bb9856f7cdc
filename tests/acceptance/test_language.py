"""The command in Portuguese: what people read is, what programs read is not, what files smuggle in stays inert."""

import re
from pathlib import Path

import pytest

from tests.acceptance.repository import Operator, Repository
from tests.locale.english import english_in

pytestmark = pytest.mark.acceptance

FORMATS = ("text", "concise", "github", "azure", "gitlab", "junit", "markdown", "html", "json", "sarif")
FOR_PROGRAMS = ("json", "sarif")
HOSTILE = "rh\\u001b[31m \\u202e|@time `x` <img src=x> ::error::x ##vso[x] [a](https://x.test)"
ADDRESS = "faturamento@empresa.com.br"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """One operator with a wrong port, one whose text is hostile."""
    repository = Repository.make(tmp_path)
    repository.operator(
        Operator(
            name="faturamento", host="smtp.empresa.com.br", port=465, sender=ADDRESS, username=ADDRESS, role="master"
        )
    )
    repository.write("operators/rh.yaml", f'version: 1\noperator: "{HOSTILE}"\nservr: 1\n')
    return repository


def test_a_finding(repository: Repository) -> None:
    assert repository.run("check", "operators/faturamento.yaml", "--lang", "pt-BR", code=1).out == (
        "erro[OM201]: a porta 465 espera TLS implícito, mas a criptografia é `starttls`\n"
        "  --> operators/faturamento.yaml:8:9  (operador faturamento)\n"
        "   |\n"
        " 7 |   host: smtp.empresa.com.br\n"
        " 8 |   port: 465\n"
        "   |         ^^^ 465 é a porta de TLS implícito\n"
        " 9 |   encryption: starttls\n"
        "   |               -------- `starttls` é da porta 587\n"
        "   |\n"
        "   = ajuda: use a porta 587 ou a criptografia `implicit-tls`\n"
        "   = regra: opsmail rule OM201\n"
        "\n"
        "1 erro em 1 de 1 operador\n"
    )


@pytest.mark.parametrize("variables", [{"OPSMAIL_LANG": "pt-BR"}, {"LANG": "pt_BR.UTF-8"}], ids=str)
def test_the_environment_chooses_it_too(repository: Repository, variables: dict[str, str]) -> None:
    told = repository.run("check", "operators/faturamento.yaml", code=1, environment=variables)
    assert told.out.endswith("1 erro em 1 de 1 operador\n")
    assert told.err == "não há opsmail.toml, então os servidores não são comparados com um catálogo\n"


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format(repository: Repository, format_: str) -> None:
    english, portuguese = (
        repository.run("check", "--format", format_, "--lang", language, code=1).out for language in ("en", "pt-BR")
    )
    if format_ in FOR_PROGRAMS:
        assert portuguese == english
        return
    assert portuguese != english
    assert ids(portuguese) == ids(english)
    # What smuggled values would act with stands there as often as in English, where other tests show that it is inert.
    for sign in ("\x1b", "\u202e", "<img", "::error", "##vso", "](http", "@time"):
        assert portuguese.count(sign) == english.count(sign), sign


def ids(text: str) -> list[str]:
    return sorted(set(re.findall(r"OM\d{3}", text)))


def test_no_english_is_left_in_what_people_read(repository: Repository) -> None:
    told = repository.run("check", "--lang", "pt-BR", code=1)
    prose = [line for line in told.out.splitlines() if not re.match(r" *(\d+ |-->|\|)", line)]
    assert english_in("\n".join(line.replace(": opsmail rule", "") for line in prose)) == []


@pytest.mark.parametrize("line", ["check --new-only", "keygen ../x", "show rh@x", "rule OM999", "settings nada"])
def test_a_refusal_and_its_hint(repository: Repository, line: str) -> None:
    told = repository.run(*line.split(), "--lang", "pt-BR", code=2).err
    error, hint = told.splitlines()
    assert error.startswith("erro: ")
    assert hint.startswith("dica: ")
    assert english_in(error) == english_in(hint) == []
