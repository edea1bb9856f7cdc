"""Files whose fields are not what they should be."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from opsmail.check.engine import CheckResult
from opsmail.constraints import Pattern
from opsmail.operator import model as operator_model
from opsmail.settings import model as settings_model
from tests.builders import SETTINGS, edited, operator_data, operator_text, run_check
from tests.hostile.files.survival import CANARY, rules, survives


class TestPatterns:
    @pytest.mark.parametrize(
        ("old", "new"),
        [
            ("operator: rh", r'operator: "rh\n"'),
            ('host: "smtp.empresa.com.br"', r'host: "smtp.empresa.com.br\n"'),
            ("address: rh@empresa.com.br", r'address: "rh@empresa.com.br\n"'),
            ("username: rh@empresa.com.br", r'username: "rh@empresa.com.br\n"'),
        ],
    )
    def test_a_line_end_is_no_part_of_a_name(self, old: str, new: str) -> None:
        """S-01: `$` in a pattern would let it pass."""
        text = operator_text()
        assert rules(edited(old if old in text else old.replace('"', ""), new)) == {"OM010"}

    def test_no_pattern_of_the_models_is_nested(self) -> None:
        """S-07: a repetition inside a repetition takes time without end."""
        patterns = [
            item
            for module in (operator_model, settings_model)
            for annotation in vars(module).values()
            for item in getattr(annotation, "__metadata__", ())
            if isinstance(item, Pattern)
        ]
        assert len(patterns) > 3
        for pattern in patterns:
            assert not re.search(r"[+*]\)[+*]", pattern.expression), pattern
            assert pattern.compiled.fullmatch(pattern.example)


class TestAddresses:
    @pytest.mark.parametrize(
        "address",
        [
            pytest.param("@", id="S-02 nothing but a sign"),
            pytest.param("rh", id="S-02 no domain"),
            pytest.param("rh@", id="S-02 an empty domain"),
            pytest.param("rh@-x-.com.br", id="S-02 a domain that cannot be"),
            pytest.param("rh@empresa.com.br>", id="S-03 an angle bracket"),
            pytest.param("rh@empresa.com.br RCPT TO:<x>", id="S-03 a command"),
            pytest.param("RH <rh@empresa.com.br>", id="S-03 a display name"),
        ],
    )
    def test_formats_are_asserted(self, address: str) -> None:
        assert "OM503" in rules(operator_text(sender={"address": address}))

    def test_a_line_end_in_an_address(self) -> None:
        """S-03."""
        assert rules(edited("address: rh@empresa.com.br", r'address: "a@b\r\nRCPT TO:<x>"')) == {"OM010"}

    def test_a_local_part_beyond_ascii(self) -> None:
        """U-16: it is an address; whether a server takes it shows when it is asked."""
        assert "OM503" not in rules(operator_text(sender={"address": "ação@empresa.com.br"}))


class TestUnknownFields:
    @pytest.mark.parametrize(
        ("old", "new", "meant"),
        [
            pytest.param("port: 587", "prot: 587", "port", id="S-05 two letters changed"),
            pytest.param("password:", "paswword:", "password", id="S-05 in a secret field"),
            pytest.param("server:", "Server:", "server", id="S-05 upper case"),
        ],
    )
    def test_the_one_that_was_meant_is_named(self, old: str, new: str, meant: str) -> None:
        (finding,) = survives(edited(old, new))
        assert (finding.rule.id, str(finding.help)) == ("OM101", f"did you mean `{meant}`?")

    def test_names_that_are_no_text(self) -> None:
        """S-06."""
        assert rules("labels: {1: a}\n") == {"OM005"}

    @pytest.mark.parametrize("line", ["$schema: http://192.0.2.1/x.json", "$ref: http://192.0.2.1/x.json"])
    def test_a_reference_to_somewhere_is_only_a_field(self, line: str) -> None:
        """S-09: nothing is fetched, there is nothing in `check` that could."""
        assert rules(f"{operator_text()}{line}\n") == {"OM005"}

    def test_thousands_of_them(self) -> None:
        assert rules("".join(f"field{'x' * (number % 40)}_{number}: 1\n" for number in range(4000))) >= {"OM101"}

    def test_thousands_of_duplicates(self) -> None:
        assert rules("port: 1\n" * 4000) == {"OM003"}


def test_a_comment_waives_nothing() -> None:
    """S-11."""
    text = operator_text(server={"port": 465})
    assert rules(f"# opsmail: ignore\n# noqa\n{text}  # opsmail: ignore OM201\n") == {"OM201"}


class TestMutants:
    """S-15: whatever is taken from a correct file, or becomes another type, is found."""

    REQUIRED = [
        "version", "operator", "sender", "server", "authentication", "sender.address", "server.host", "server.port",
        "server.encryption", "authentication.type", "authentication.username", "authentication.password",
    ]  # fmt: skip

    @staticmethod
    def check(data: dict[str, Any]) -> CheckResult:
        return run_check({"rh.yaml": yaml.safe_dump(data, allow_unicode=True)}, SETTINGS)

    @staticmethod
    def section(data: dict[str, Any], path: str) -> tuple[dict[str, Any], str]:
        *around, name = path.split(".")
        for part in around:
            data = data[part]
        return data, name

    def test_the_original_is_correct(self) -> None:
        assert self.check(operator_data()).findings == ()

    @pytest.mark.parametrize("path", REQUIRED)
    def test_a_field_that_is_missing(self, path: str) -> None:
        data = operator_data()
        section, name = self.section(data, path)
        del section[name]
        assert {finding.rule.id for finding in self.check(data).errors()} == {"OM102"}

    def mutants(self) -> Iterator[tuple[str, object, dict[str, Any]]]:
        for path in [*self.REQUIRED, "role"]:
            for value in (None, True, 5, 1.5, "", "zzz", [], {}, ["x"], {"x": 1}):
                data = copy.deepcopy(operator_data())
                section, name = self.section(data, path)
                if type(section[name]) is not type(value):
                    section[name] = value
                    yield path, value, data

    def test_every_other_type(self) -> None:
        survivors = [(path, value) for path, value, data in self.mutants() if not self.check(data).errors()]
        assert survivors == []


class TestSecretsInWrongPlaces:
    """A password is in no output, nor is its length, wherever somebody typed it."""

    PLACES = [
        edited('"env://OPSMAIL_SECRET_RH"', CANARY),
        edited('"env://OPSMAIL_SECRET_RH"', f'"{CANARY}"'),
        edited('"env://OPSMAIL_SECRET_RH"', f"env://{CANARY}"),
        edited('"env://OPSMAIL_SECRET_RH"', f"smtp://rh:{CANARY}@smtp.empresa.com.br"),
        edited('"env://OPSMAIL_SECRET_RH"', f"[{CANARY}]"),
        edited('"env://OPSMAIL_SECRET_RH"', f"{{{CANARY}: x}}"),
        edited('"env://OPSMAIL_SECRET_RH"', f"{{x: {CANARY}}}"),
        edited('"env://OPSMAIL_SECRET_RH"', f"!secret {CANARY}"),
        edited('"env://OPSMAIL_SECRET_RH"', f"&a {CANARY}"),
        edited('"env://OPSMAIL_SECRET_RH"', f"*{CANARY}"),
        edited('"env://OPSMAIL_SECRET_RH"', f"'{CANARY}"),
        edited('"env://OPSMAIL_SECRET_RH"', f"{CANARY}: x"),
        edited('"env://OPSMAIL_SECRET_RH"', f"|\n    {CANARY}\n    host: {CANARY}"),
        edited('"env://OPSMAIL_SECRET_RH"', f"x\n    {CANARY}"),
        edited('"env://OPSMAIL_SECRET_RH"', f"env://OPSMAIL_SECRET_RH # {CANARY}"),
        edited("password:", f"senha: {CANARY}\n  password:"),
        edited("password:", f"password: {CANARY}\n  password:"),
        edited("password:", f"{CANARY}: x\n  password:"),
        edited("password:", f'"{CANARY}": x\n  password:'),
        edited("password:", f"? {CANARY}\n  : x\n  password:"),
        edited("server:\n", f"server:\n  {CANARY}\n"),
        edited("port: 587", f"port: 587\n  extra: {{a: {CANARY}, b: [{CANARY}]}}"),
        edited("port: 587", f"prot: 587 # {CANARY}"),
        edited("role: master", f"role: [{CANARY}"),
        edited("role: master", f"limits: {CANARY}\nrole: master"),
        edited("role: master", f"labels: [{CANARY}]\nrole: master"),
        f"{CANARY}\n{operator_text()}",
        f"# {CANARY}\n{operator_text()}x: [\n# {CANARY}\n",
        f"{CANARY}: {{{CANARY}: {CANARY}}}\n",
        f"- {CANARY}\n",
        f'"{CANARY}',
        f"password: {CANARY}\u202e\n",
        f"authentication: {{type: basic, password: {CANARY}\u200b}}\n",
        operator_text().replace('"env://OPSMAIL_SECRET_RH"', CANARY).encode() + b"\xff",
    ]

    @pytest.mark.parametrize("text", PLACES, ids=range(len(PLACES)))
    def test_it_is_not_repeated(self, text: str | bytes) -> None:
        survives(text)

    @pytest.mark.parametrize("text", [text for text in PLACES if isinstance(text, str)], ids=range(len(PLACES) - 1))
    def test_nor_is_its_length(self, text: str) -> None:
        """A secret that is longer gives the same output: no column, underline or figure depends on it."""
        longer = text.replace(CANARY, f"{CANARY}-and-much-longer")
        assert [_told(finding) for finding in survives(text)] == [_told(finding) for finding in survives(longer)]

    def test_a_number(self) -> None:
        """A password of digits is a number to YAML: no fix, message or place has it."""
        for digits in ("73501942", "073501942", "7350.1942", "true"):
            findings = survives(edited('"env://OPSMAIL_SECRET_RH"', digits))
            assert [finding.rule.id for finding in findings] == ["OM601"]
            assert digits not in repr(findings)
            assert findings[0].span.end_column == 11


def _told(finding: Any) -> tuple[object, ...]:
    related = [(item.span, str(item.message)) for item in finding.related]
    return (finding.rule.id, finding.span, str(finding.message), finding.path, related, finding.excerpt)
