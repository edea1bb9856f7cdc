"""Files whose fields are not what they should be."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from opsmail.check.engine import check
from opsmail.check.interface import Context
from opsmail.constraints import Pattern
from opsmail.operator import model as operator_model
from opsmail.providers import load_providers
from opsmail.settings import model as settings_model
from opsmail.settings.load import load_settings
from opsmail.source.tree import SourceFile
from opsmail.source.worktree import WorkTree
from tests.builders import DAY, SCHEMES, edited, operator_text
from tests.hostile.catalogue import case
from tests.hostile.files.contents import CANARY, SECRETS
from tests.hostile.files.survival import rules, survives


class TestPatterns:
    @pytest.mark.case("S-01")
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
        """`$` in a pattern would let it pass."""
        text = operator_text()
        assert rules(edited(old if old in text else old.replace('"', ""), new)) == {"OM010"}

    @pytest.mark.case("S-07")
    def test_no_pattern_of_the_models_is_nested(self) -> None:
        """A repetition inside a repetition takes time without end."""
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
            case("S-02 nothing but a sign", "@"),
            case("S-02 no domain", "rh"),
            case("S-02 an empty domain", "rh@"),
            case("S-02 a domain that cannot be", "rh@-x-.com.br"),
            case("S-03 an angle bracket", "rh@empresa.com.br>"),
            case("S-03 a command", "rh@empresa.com.br RCPT TO:<x>"),
            case("S-03 a display name", "RH <rh@empresa.com.br>"),
        ],
    )
    def test_formats_are_asserted(self, address: str) -> None:
        assert "OM503" in rules(operator_text(sender={"address": address}))

    @pytest.mark.case("S-03")
    def test_a_line_end_in_an_address(self) -> None:
        assert rules(edited("address: rh@empresa.com.br", r'address: "a@b\r\nRCPT TO:<x>"')) == {"OM010"}

    @pytest.mark.case("U-16")
    def test_a_local_part_beyond_ascii(self) -> None:
        """It is an address; whether a server takes it shows when it is asked."""
        assert "OM503" not in rules(operator_text(sender={"address": "ação@empresa.com.br"}))


class TestUnknownFields:
    @pytest.mark.parametrize(
        ("old", "new", "meant"),
        [
            case("S-05 two letters changed", "port: 587", "prot: 587", "port"),
            case("S-05 in a secret field", "password:", "paswword:", "password"),
            case("S-05 upper case", "server:", "Server:", "server"),
        ],
    )
    def test_the_one_that_was_meant_is_named(self, old: str, new: str, meant: str) -> None:
        (finding,) = survives(edited(old, new))
        assert (finding.rule.id, str(finding.help)) == ("OM101", f"did you mean `{meant}`?")

    @pytest.mark.case("S-06")
    def test_names_that_are_no_text(self) -> None:
        assert rules("labels: {1: a}\n") == {"OM005"}

    @pytest.mark.case("S-09")
    @pytest.mark.parametrize("line", ["$schema: http://192.0.2.1/x.json", "$ref: http://192.0.2.1/x.json"])
    def test_a_reference_to_somewhere_is_only_a_field(self, line: str) -> None:
        """Nothing is fetched, there is nothing in `check` that could."""
        assert rules(f"{operator_text()}{line}\n") == {"OM005"}

    def test_thousands_of_them(self) -> None:
        assert rules("".join(f"field{'x' * (number % 40)}_{number}: 1\n" for number in range(4000))) >= {"OM101"}

    def test_thousands_of_duplicates(self) -> None:
        assert rules("port: 1\n" * 4000) == {"OM003"}


@pytest.mark.case("P-13")
def test_a_pointer_to_a_large_file() -> None:
    """As git-lfs puts it in the place of what it keeps elsewhere."""
    digest = "4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393"
    assert rules(f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 612\n") & {"OM002", "OM004"}


@pytest.mark.case("S-11")
def test_a_comment_waives_nothing() -> None:
    text = operator_text(server={"port": 465})
    assert rules(f"# opsmail: ignore\n# noqa\n{text}  # opsmail: ignore OM201\n") == {"OM201"}


ROOT = Path(__file__).parents[3]
FLEET = {path.name: yaml.safe_load(path.read_text("utf-8")) for path in sorted((ROOT / "operators").glob("*.yaml"))}
CONTEXT = Context(load_settings(WorkTree(ROOT)), load_providers(), DAY, SCHEMES)
#: What each type of authentication needs beside what every operator needs.
REQUIRED = {
    "": "version operator sender sender.address server server.host server.port server.encryption authentication "
    "authentication.type",
    "basic": "authentication.username authentication.password",
    "modern": "authentication.username authentication.tenant authentication.client_id authentication.credential "
    "authentication.credential.kind authentication.credential.secret",
    "none": "",
}
TYPES: tuple[object, ...] = (None, True, 5, 1.5, "", "zzz", [], {}, ["x"], {"x": 1})


@pytest.mark.case("S-15")
class TestMutants:
    """Whatever is taken from a correct file, or becomes another type, is found: over the fleet of this repository."""

    def test_the_originals_are_correct(self) -> None:
        assert len(without_errors(list(FLEET.items()))) == len(FLEET)

    def test_every_required_field_taken_away(self, record_property: Callable[[str, object], None]) -> None:
        mutants = [
            (name, changed(data, path, None, remove=True))
            for name, data in FLEET.items()
            for path in required(data).split()
        ]
        all_refused(mutants, record_property)

    def test_every_value_as_every_other_type(self, record_property: Callable[[str, object], None]) -> None:
        """An optional field that is empty is one that is left out; nothing else gets through."""
        mutants = [
            (name, changed(data, path, value))
            for name, data in FLEET.items()
            for path, before in paths(data)
            for value in TYPES
            if type(value) is not type(before) and not (value is None and path not in required(data).split())
        ]
        all_refused(mutants, record_property)


def all_refused(mutants: list[tuple[str, dict[str, Any]]], record_property: Callable[[str, object], None]) -> None:
    survivors = without_errors(mutants)
    figure = f"{len(mutants) - len(survivors)} of {len(mutants)} mutants were refused"
    record_property("mutants", figure)
    print(figure)
    assert len(mutants) > 50
    assert [mutants[number] for number in survivors] == [], figure


def without_errors(mutants: list[tuple[str, dict[str, Any]]]) -> list[int]:
    """Return the numbers of those that a check takes; errors of the fleet as a whole do not count."""
    files = [
        SourceFile(f"operators/m{number}/{name}", yaml.safe_dump(data, allow_unicode=True).encode())
        for number, (name, data) in enumerate(mutants)
    ]
    errors = check(files, CONTEXT, whole=False).errors()
    refused = {finding.file for finding in errors if not finding.rule.id.startswith("OM7")}
    return [number for number, file in enumerate(files) if file.path not in refused]


def required(data: dict[str, Any]) -> str:
    return f"{REQUIRED['']} {REQUIRED[data['authentication']['type']]}"


def paths(data: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Yield every field with its path and value; what labels are called is everybody's own choice."""
    for name, value in data.items():
        yield f"{prefix}{name}", value
        if isinstance(value, dict) and name != "labels":
            yield from paths(value, f"{prefix}{name}.")


def changed(data: dict[str, Any], path: str, value: object, *, remove: bool = False) -> dict[str, Any]:
    """Return a copy with one field of another value, or without it."""
    copied = copy.deepcopy(data)
    *around, name = path.split(".")
    section = copied
    for part in around:
        section = section[part]
    if remove:
        del section[name]
    else:
        section[name] = value
    return copied


class TestSecretsInWrongPlaces:
    """A password is in no output, nor is its length, wherever somebody typed it."""

    @pytest.mark.parametrize("text", SECRETS, ids=range(len(SECRETS)))
    def test_it_is_not_repeated(self, text: str | bytes) -> None:
        survives(text)

    @pytest.mark.parametrize("text", [text for text in SECRETS if isinstance(text, str)], ids=range(len(SECRETS) - 1))
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
