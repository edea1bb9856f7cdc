"""OM107: the organisation's JSON Schemas, held against operator files."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from opsmail.check.organisation.formats import FORMATS
from opsmail.check.organisation.keywords import MOST_PATTERNS
from opsmail.findings import Span
from tests.acceptance.canary import Canary
from tests.builders import operator_text, settings_of
from tests.unit.check.organisation.circumstances import found, refused, settings_with, told

DRAFT7 = "http://json-schema.org/draft-07/schema#"
SECRET = "S3nh4-C4n4r10+/x9"


def of(schema: Any, *texts: str) -> list[str]:
    return told(settings_with(schemas={"schemas/e.json": schema}), *texts)


def wrong(schema: Any, *texts: str) -> str:
    (only,) = refused(settings_with(schemas={"schemas/e.json": schema}), *texts)
    return only


def field(path: str, **schema: Any) -> dict[str, Any]:
    """Return the schema of a file with a schema for one field."""
    inner: dict[str, Any] = schema
    for name in reversed(path.split(".")):
        inner = {"properties": {name: inner}}
    return inner


class TestPlaces:
    def place(self, schema: Any, text: str | None = None) -> tuple[str, Span]:
        (finding,) = found(settings_with(schemas={"schemas/e.json": schema}), text or operator_text())
        assert finding.rule.id == "OM107"
        return finding.path, finding.span

    def test_a_value(self) -> None:
        assert self.place(field("server.port", const=465)) == ("server.port", Span(8, 9, 8, 12))

    def test_a_missing_field_stands_at_its_section(self) -> None:
        assert self.place(field("server", required=["minimum_tls"])) == ("server.minimum_tls", Span(6, 1, 6, 7))

    def test_an_unwanted_field_stands_at_its_name(self) -> None:
        schema = field("server", properties={"host": True, "port": True}, additionalProperties=False)
        assert self.place(schema) == ("server.encryption", Span(9, 3, 9, 13))

    def test_the_cause_inside_of_choices(self) -> None:
        choices = [
            field("server", properties={"host": {"const": "smtp.empresa.com.br"}, "port": {"const": 465}}),
            {"type": "string"},
        ]
        assert self.place({"anyOf": choices}) == ("server.port", Span(8, 9, 8, 12))


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        (field("server.port", type="string"), "`server.port` should be text"),
        (field("server.port", type=["string", "null"]), "`server.port` should be text or empty"),
        (field("server.port", const=465), "`server.port` should be `465`"),
        (field("server.port", enum=[25, 465]), "`server.port` is none of `25`, `465`"),
        (
            field("server.port", enum=[*range(20)]),
            "`server.port` is none of `0`, `1`, `2`, `3`, `4`, `5`, `6`, `7`, `8`, `9`, …",
        ),
        (field("server.port", minimum=600), "`server.port` is less than 600"),
        (field("server.port", maximum=500), "`server.port` is more than 500"),
        (field("server.port", exclusiveMinimum=587), "`server.port` is not more than 587"),
        (field("server.port", exclusiveMaximum=587), "`server.port` is not less than 587"),
        (field("server.port", multipleOf=5), "`server.port` is no multiple of 5"),
        (field("server.host", pattern="^mail"), "`server.host` does not match `^mail`"),
        (field("server.host", format="email"), "`server.host` is not of the format `email`"),
        (field("server.host", minLength=50), "`server.host` has fewer than 50 characters"),
        (field("server.host", maxLength=5), "`server.host` has more than 5 characters"),
        (field("server", minProperties=9), "`server` has fewer than 9 fields"),
        (field("server", maxProperties=1), "`server` has more than 1 fields"),
        (field("server", required=["x"]), "`server` lacks the field `x`"),
        (field("server", dependentRequired={"host": ["x"], "y": ["z"]}), "`server` lacks the field `x`"),
        (field("server", propertyNames={"maxLength": 4}), "`server` has a field that the schema does not allow"),
        (field("server.port", **{"not": {}}), "`server.port` is as the schema excludes it"),
        (field("server", properties={"port": False}), "`server` has a field that the schema does not allow"),
        (field("server", patternProperties={"^p": False}), "`server` has a field that the schema does not allow"),
        (field("server", patternProperties={"^p": {"const": 1}}), "`server.port` should be `1`"),
        (field("server", additionalProperties={"type": "string"}), "`server.port` should be text"),
        (
            field("server", patternProperties={"^[hp]": True}, additionalProperties=False),
            "`server` has a field that the schema does not allow",
        ),
        (field("server.port", oneOf=[{"const": 1}, {"const": 2}]), "`server.port` fits none of the schema's choices"),
        (field("server.port", anyOf=[{"const": 1}, {"const": 2}]), "`server.port` fits none of the schema's choices"),
        (
            field("server.port", oneOf=[True, {"const": 587}]),
            "`server.port` fits more than one of the schema's choices",
        ),
        (False, "the file is not as the schema demands it"),
        ({"if": True, "then": field("server.port", const=465)}, "`server.port` should be `465`"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"required": ["name"]}}}, "the file lacks the field `name`"),
    ],
)
def test_each_keyword_says_what_is_wrong(schema: Any, message: str) -> None:
    messages = of(schema)
    assert set(messages) == {message}
    assert of(True) == []


@pytest.mark.parametrize(
    ("value", "keyword", "message"),
    [
        ([1, 1], {"uniqueItems": True}, "`extra` holds something twice"),
        ([1, 2], {"uniqueItems": True}, None),
        ([1, 1], {"uniqueItems": False}, None),
        ("a", {"uniqueItems": True, "propertyNames": False, "required": ["a"], "additionalProperties": False}, None),
        ("a", {"properties": {"a": False}, "patternProperties": {"a": False}, "dependentRequired": {"a": ["b"]}}, None),
        ([1], {"minItems": 2}, "`extra` has fewer than 2 elements"),
        ([1], {"maxItems": 0}, "`extra` has more than 0 elements"),
        (1, {"pattern": "x", "format": "date"}, None),
        (587.5, {"type": "number"}, None),
        (587.0, {"type": "integer"}, "`extra` should be a whole number"),
        (True, {"type": ["integer", "number"]}, "`extra` should be a whole number or a number"),
    ],
)
def test_values_that_only_an_unknown_field_has(value: Any, keyword: dict[str, Any], message: str | None) -> None:
    messages = of({"properties": {"extra": keyword}}, operator_text(extra=value))
    assert messages == ([] if message is None else [message])


def test_draft_07() -> None:
    schema = {"$schema": DRAFT7, "dependencies": {"server": ["name"], "sender": {"required": ["limits"]}, "x": ["y"]}}
    assert sorted(of(schema)) == ["the file lacks the field `limits`", "the file lacks the field `name`"]


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date", "2027-01-31", ["2027-02-30", "2027-W01-1", "20270131"]),
        ("email", "rh@empresa.com.br", ["rh", "rh@"]),
        ("hostname", "smtp.empresa.com.br", ["-a.br", "a..br", "a_b", "a" * 64, ".".join(["a" * 60] * 5)]),
        ("ipv4", "192.0.2.1", ["192.0.2", "::1", "192.0.2.01"]),
        ("ipv6", "2001:db8::1", ["192.0.2.1", "fe80::1%eth0", ":"]),
        ("uuid", "11111111-2222-3333-4444-555555555555", ["1", "11111111-2222-3333-4444-55555555555g"]),
    ],
)
def test_formats_are_checked(name: str, good: str, bad: list[str]) -> None:
    schema = field("labels", additionalProperties={"format": name})
    assert of(schema, operator_text(labels={"x": good})) == []
    for text in bad:
        assert of(schema, operator_text(labels={"x": text})) == [f"`labels.x` is not of the format `{name}`"]


def test_a_line_end_is_no_part_of_a_day() -> None:
    assert FORMATS["date"]("2027-01-31")
    assert not FORMATS["date"]("2027-01-31\n")


def test_the_help_names_the_schema_and_what_it_says() -> None:
    plain = field("server.port", const=465)
    (finding,) = found(settings_with(schemas={"schemas/e.json": plain}))
    assert str(finding.help) == "schemas/e.json demands it"
    assert str(finding.label) == "not as the schema demands"
    (finding,) = found(settings_with(schemas={"e.json": field("server.port", const=465, description=" ask {IT} ")}))
    assert str(finding.help) == "e.json says: ask {IT}"


def test_nothing_of_the_file_is_repeated() -> None:
    text = operator_text(**{SECRET[:8]: SECRET}, name="RH", labels={"x": SECRET})
    text = text.replace("env://OPSMAIL_SECRET_RH", SECRET)
    strict = {
        "properties": {
            "name": {"pattern": "^a$", "maxLength": 1, "enum": ["a"], "format": "date"},
            "labels": {"additionalProperties": {"const": "a"}},
            "authentication": {"properties": {"password": {"pattern": "^env:"}}},
        },
        "additionalProperties": False,
        "propertyNames": {"maxLength": 2},
        "patternProperties": {"^S3": {"type": "object"}},
        "not": {"required": ["name"]},
    }
    findings = found(settings_with(schemas={"e.json": strict}), text)
    assert len(findings) > 8
    canary = Canary({"value": SECRET, "name": SECRET[:8]})
    for finding in findings:
        written = f"{finding.path} {finding.message} {finding.help} {finding.label}"
        assert canary.found(written.encode()) is None, written


class TestReferences:
    def test_from_one_listed_file_to_another(self) -> None:
        schemas = {
            "a.json": {"$ref": "urn:b#/$defs/x"},
            "b.json": {"$id": "urn:b", "$defs": {"x": {"required": ["name"]}}},
        }
        assert told(settings_with(schemas=schemas)) == ["the file lacks the field `name`"]

    def test_a_dialect_inside_does_not_loosen(self) -> None:
        dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
        strict = field("server.port", type="integer")
        schemas = {"a.json": {"$ref": "urn:b"}, "b.json": {"$id": "urn:b", **dialect, **strict}}
        text = operator_text().replace("port: 587", "port: 587.0")
        assert set(told(settings_with(schemas=schemas), text)) == {"`server.port` should be a whole number"}
        assert wrong({"not": dialect}).startswith("schemas/e.json: $.not.$schema: `$schema` stands inside a file")

    @pytest.mark.parametrize(
        "reference", ["http://127.0.0.1:9/x.json", "#/nowhere", "#anchor", "file:///etc/passwd", "http://["]
    )
    def test_nothing_is_fetched(self, reference: str) -> None:
        told_of = wrong({"$ref": reference})
        assert told_of.startswith(f"schemas/e.json: $.$ref: `{reference}` leads nowhere | ")

    def test_what_a_reference_leads_to_is_looked_at_too(self) -> None:
        schema = {"x-mine": {"patern": "x"}, "$ref": "#/x-mine"}
        assert (
            wrong(schema)
            == "schemas/e.json: $.$ref.patern: opsmail does not know the keyword `patern` | did you mean `pattern`?"
        )

    def test_what_is_no_schema_is_told(self) -> None:
        assert wrong({"x-mine": [1], "$ref": "#/x-mine"}).startswith("schemas/e.json: $.$ref: no schema is here")

    def test_ids_are_unique_and_uris(self) -> None:
        same = {"$id": "urn:a"}
        (told_of,) = refused(settings_with(schemas={"a.json": same, "b.json": same}))
        assert told_of.startswith("b.json: $.$id: another schema has the same `$id`")
        assert wrong({"$id": "http://["}).startswith("schemas/e.json: $: an `$id` is no URI")


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("{", "$: not valid JSON: Expecting property name enclosed in double quotes, line 1"),
        ('{"const": NaN}', "$: not valid JSON: NaN is no number of JSON"),
        ('{"const": 1e999}', "$: not valid JSON: 1e999 is no number of JSON"),
        ('{"const": ' + "1" * 5000 + "}", "$: not valid JSON: "),
        ("[" * 100_000, "$: it is nested too deeply"),
        ('{"not":' * 300 + "{}" + "}" * 300, "$: more than 1000 parts, or 40 inside another"),
        ({"type": "objekt"}, "$.type: JSON Schema does not allow this here"),
        ([], "$: JSON Schema does not allow this here"),
        ({"$schema": "urn:x"}, "$.$schema: this dialect is not supported"),
        (
            {"propertees": {}},
            "$.propertees: opsmail does not know the keyword `propertees` | did you mean `properties`?",
        ),
        ({"zzzzzzzz": {}}, "$.zzzzzzzz: opsmail does not know the keyword `zzzzzzzz` | your own notes start with `x-`"),
        (
            field("name", format="uri"),
            "$.properties.name.format: the format `uri` is not checked | checked are `date`, ",
        ),
        (
            field("name", pattern="(?=a)"),
            "$.properties.name.pattern: the pattern `(?=a)` cannot be used: looking ahead",
        ),
        ({"patternProperties": {"(": True}}, "$.patternProperties: the pattern `(` cannot be used"),
        ({"allOf": [{"$dynamicRef": "#a"}]}, "$.allOf[0].$dynamicRef: opsmail does not know the keyword `$dynamicRef`"),
        ({"unevaluatedProperties": False}, "$.unevaluatedProperties: opsmail does not know"),
        (
            {"patternProperties": {f"a{n}": True for n in range(MOST_PATTERNS + 1)}},
            f"$.patternProperties: more than {MOST_PATTERNS} patterns",
        ),
        ({"allOf": [{"title": str(n)} for n in range(1000)]}, "$: more than 1000 parts, or 40 inside another"),
    ],
)
def test_schemas_that_cannot_be_used(schema: Any, message: str) -> None:
    started = time.process_time()
    assert wrong(schema).startswith(f"schemas/e.json: {message}")
    assert time.process_time() - started < 2


def test_fields_that_are_not_there_are_not_judged() -> None:
    assert of(field("server", properties={"x": False, "port": True})) == []


def test_notes_of_its_own_are_allowed() -> None:
    assert of({"x-owner": "ti", "title": "t", "$comment": "c", "examples": [{}]}) == []


def test_dialects_do_not_mix() -> None:
    (told_of,) = refused(settings_with(schemas={"a.json": {"$schema": DRAFT7}, "b.json": {}}))
    assert told_of.startswith("b.json: $.$schema: the extra schemas are of different dialects | write `http://json-sch")


class TestBombs:
    """Each is bounded, and none is green."""

    ENDLESS = "schemas/e.json: $: checking one file does not come to an end within 0.5 s"

    def bounded(self, schema: Any, text: str | None = None) -> str:
        started = time.process_time()
        answer = wrong(schema, *([] if text is None else [text]))
        assert time.process_time() - started < 4  # half for a debugger or for measuring coverage
        return answer

    def test_a_reference_to_itself(self) -> None:
        assert self.bounded({"$ref": "#"}).startswith(self.ENDLESS)

    def test_two_that_lead_to_each_other(self) -> None:
        schema = {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
        assert self.bounded(schema).startswith(self.ENDLESS)

    def test_references_that_double(self) -> None:
        definitions: dict[str, Any] = {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(30)}
        schema = {"$defs": {**definitions, "a30": {"title": "end"}}, "$ref": "#/$defs/a0"}
        assert self.bounded(schema).startswith(self.ENDLESS)

    def test_patterns_for_thousands_of_names(self) -> None:
        names = {f"a{n}{'b' * 50}": 1 for n in range(2000)}
        schema = field("labels", patternProperties={f"(a?b?c{n}?){{15}}d": True for n in range(40)})
        assert self.bounded(schema, operator_text(labels=names)).startswith(self.ENDLESS)


def test_a_thing_is_told_once() -> None:
    twice = {"allOf": [field("server.port", const=465)] * 2}
    assert of(twice) == ["`server.port` should be `465`"]


def test_jsonschema_is_loaded_only_for_schemas() -> None:
    code = (
        f"import sys; sys.path.append({str(Path(__file__).parents[4])!r})\n"
        "from tests.unit.check.organisation.circumstances import found, settings_with\n"
        "heavy = {'jsonschema', 'referencing', 'cel_expr_python', 'google', 'importlib.metadata'}\n"
        "for name in [*sys.modules]:\n"
        "    if name.split('.')[0] in heavy or name in heavy: del sys.modules[name]\n"
        "found(settings_with())\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[]\n"


def test_the_digest_is_of_the_schemas_bytes() -> None:
    one, same, other = (settings_with(schemas={"e.json": schema}).digest for schema in ("{}", "{}", "{ }"))
    assert one == same != other
    assert one != settings_of().digest
