"""Characters that look like others, or like nothing."""

from __future__ import annotations

import pytest

from tests.builders import edited, operator_text
from tests.hostile.catalogue import case
from tests.hostile.files.survival import rules, survives


def with_host(host: str) -> str:
    return operator_text(server={"host": host})


@pytest.mark.parametrize(
    "host",
    [
        case("U-01 a Cyrillic letter", "smtp.emp\u0430esa.com.br"),
        case("U-02 a fullwidth letter", "\uff53mtp.empresa.com.br"),
        case("U-03 an ideographic full stop", "smtp\u3002empresa.com.br"),
        case("U-03 a fullwidth full stop", "smtp\uff0eempresa.com.br"),
        case("U-14 a Kelvin sign", "smtp.\u212aempresa.com.br"),
        case("U-14 a long s", "smtp.empre\u017fa.com.br"),
        case("U-04 a space that does not break", "smtp.empresa\u00a0.com.br"),
    ],
)
def test_a_host_that_only_looks_right(host: str) -> None:
    assert rules(with_host(host)) & {"OM204", "OM208", "OM209"}


@pytest.mark.parametrize(
    "character",
    [
        case("U-04 zero-width space", "\u200b"),
        case("U-04 soft hyphen", "\u00ad"),
        case("U-10 zero-width joiner", "\u200d"),
        case("U-10 word joiner", "\u2060"),
        case("U-10 Hangul filler", "\u3164"),
        case("U-10 tag character", "\U000e0041"),
    ],
)
@pytest.mark.parametrize("place", ["smtp{}.empresa.com.br", "# {}", "n{}ame: x"])
def test_an_invisible_character_anywhere(character: str, place: str) -> None:
    assert rules(f"{operator_text()}{place.format(character)}\n") == {"OM010"}


@pytest.mark.parametrize(
    "text",
    [
        case("U-10 variation selector in an id", edited("operator: rh", "operator: rh\ufe0f")),
        case("U-10 variation selector in a key", edited("server:", "server\ufe0f:")),
        case("U-12 a composed letter in an id", edited("operator: rh", "operator: op\u00e9")),
        case("U-12 a decomposed letter in an id", edited("operator: rh", "operator: ope\u0301")),
        case("U-14 a dotless i in an id", edited("operator: rh", "operator: r\u0131h")),
        case("U-14 a Kelvin sign in an id", edited("operator: rh", "operator: \u212ah")),
    ],
)
def test_ids_and_keys_are_ascii(text: str) -> None:
    assert rules(text) & {"OM104", "OM005"}


@pytest.mark.parametrize(
    "host",
    [
        case("U-08 upper case", "SMTP.EMPRESA.COM.BR"),
        case("U-08 a dot at the end", "smtp.empresa.com.br."),
    ],
)
def test_a_host_in_another_spelling_is_the_same_host(host: str) -> None:
    """It is approved by its canonical form; a dot at the end is told all the same."""
    assert "OM209" not in rules(with_host(host))


@pytest.mark.case("U-15")
class TestDisplayNames:
    @pytest.mark.parametrize("name", ["RH 🎉", "مرحبا", "日本語", "Ação", "x" * 64, "e\u0301" * 32])
    def test_any_script(self, name: str) -> None:
        assert rules(operator_text(sender={"display_name": name})) == set()

    @pytest.mark.parametrize("name", ["x" * 65, "e" + "\u0301" * 10_000])
    def test_too_long(self, name: str) -> None:
        assert rules(operator_text(sender={"display_name": name})) == {"OM104"}

    def test_turned_around(self) -> None:
        assert rules(operator_text(sender={"display_name": "RH \u202egpj.exe"})) == {"OM010"}


def test_wide_characters_do_not_break_the_underline() -> None:
    findings = survives(edited("port: 587", "prot: 587  # 日本", operator_text(sender={"display_name": "日本"})))
    assert [finding.rule.id for finding in findings] == ["OM101"]
