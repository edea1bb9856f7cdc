"""Plain data to frozen dataclasses: every problem at once, each with its path."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from enum import StrEnum
from itertools import product
from typing import Annotated, Any, Literal

import pytest

from opsmail.constraints import Length, OneOrMany, Parsed, Pattern, Range, Recurring
from opsmail.messages import msg
from opsmail.operator.model import Operator
from opsmail.shape import Decoder, ProblemKind, encode, nearest, shown_name


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


@dataclass(frozen=True, slots=True)
class Pair:
    left: int
    right: int

    @classmethod
    def parse(cls, text: str) -> Pair:
        left, _, right = text.partition("/")
        return cls(int(left), int(right))

    def __str__(self) -> str:
        return f"{self.left}/{self.right}"


@dataclass(frozen=True, kw_only=True)
class Circle:
    kind: Literal["circle"]
    radius: int


@dataclass(frozen=True, kw_only=True)
class Square:
    kind: Literal["square"]
    side: int
    filled: bool = False


@dataclass(frozen=True, kw_only=True)
class Inner:
    name: Annotated[str, Pattern(r"[a-z]+", msg("a small word"), "word")]
    count: Annotated[int, Range(1, 10)] = 1


@dataclass(frozen=True, kw_only=True)
class Outer:
    version: Literal[1] = 1
    inner: Inner
    text: str = "x"
    short: Annotated[str, Length(0, 3)] = ""
    colour: Colour = Colour.RED
    flag: bool = False
    day: date | None = None
    pair: Annotated[Pair, Parsed(Pair.parse, msg("a pair"), "1/2", r"\d+/\d+")] | None = None
    shape: Circle | Square | None = None
    words: tuple[Annotated[str, Length(1, 5)], ...] = ()
    folders: Annotated[tuple[str, ...], OneOrMany()] = ()
    labels: Mapping[Annotated[str, Pattern(r"[a-z]+", msg("a small word"), "a")], str] = field(default_factory=dict)


DECODER = Decoder(Outer)
GOOD: dict[str, Any] = {"inner": {"name": "abc"}}


def problems_of(**fields: Any) -> list[tuple[str, str, str]]:
    """Return kind, path and message of what is wrong with good data and some fields of its own."""
    _, problems = DECODER.decode({**GOOD, **fields})
    return [(problem.kind.name, problem.path, str(problem.message)) for problem in problems]


def helps_of(**fields: Any) -> list[str]:
    _, problems = DECODER.decode({**GOOD, **fields})
    return [str(problem.help) for problem in problems]


class TestValues:
    def test_defaults_are_filled_in(self) -> None:
        assert DECODER.decode(GOOD) == (Outer(inner=Inner(name="abc")), [])

    @pytest.mark.parametrize(
        ("name", "written", "value"),
        [
            ("version", 1, 1),
            ("inner", {"name": "b", "count": 10}, Inner(name="b", count=10)),
            ("text", "ação", "ação"),
            ("short", "", ""),
            ("colour", "green", Colour.GREEN),
            ("flag", True, True),
            ("day", "2027-05-01", date(2027, 5, 1)),
            ("day", date(2027, 5, 1), date(2027, 5, 1)),
            ("day", None, None),
            ("pair", "3/4", Pair(3, 4)),
            ("shape", {"kind": "circle", "radius": 2}, Circle(kind="circle", radius=2)),
            ("shape", {"kind": "square", "side": 2}, Square(kind="square", side=2)),
            ("shape", None, None),
            ("words", ["a", "b"], ("a", "b")),
            ("folders", ["a"], ("a",)),
            ("folders", "a", ("a",)),
            ("labels", {"a": "b"}, {"a": "b"}),
        ],
    )
    def test_each_type(self, name: str, written: object, value: object) -> None:
        decoded, problems = DECODER.decode({**GOOD, name: written})
        assert problems == []
        assert getattr(decoded, name) == value

    def test_unknown_fields_alone_leave_a_value(self) -> None:
        decoded, problems = DECODER.decode({**GOOD, "extra": 1, "shape": {"kind": "circle", "radius": 1, "side": 1}})
        assert decoded == Outer(inner=Inner(name="abc"), shape=Circle(kind="circle", radius=1))
        assert len(problems) == 2


class TestProblems:
    @pytest.mark.parametrize(
        ("fields", "problem"),
        [
            ({"version": 2}, ("INVALID_VALUE", "version", "`version` cannot be `2`")),
            ({"version": 1.0}, ("WRONG_TYPE", "version", "`version` should be a whole number, but is a number")),
            ({"version": True}, ("WRONG_TYPE", "version", "`version` should be a whole number, but is a truth value")),
            ({"version": "1"}, ("WRONG_TYPE", "version", "`version` should be a whole number, but is text")),
            ({"inner": None}, ("WRONG_TYPE", "inner", "`inner` should be a section with fields, but is empty")),
            ({"inner": "x"}, ("WRONG_TYPE", "inner", "`inner` should be a section with fields, but is text")),
            ({"inner": {}}, ("MISSING_FIELD", "inner.name", "`inner` lacks the field `name`")),
            ({"inner": {"name": "A"}}, ("INVALID_VALUE", "inner.name", "`inner.name` is not a small word")),
            ({"inner": {"name": "a\n"}}, ("INVALID_VALUE", "inner.name", "`inner.name` is not a small word")),
            (
                {"inner": {"name": "a", "count": 0}},
                ("INVALID_VALUE", "inner.count", "`inner.count` is 0, out of range"),
            ),
            (
                {"inner": {"name": "a", "count": 11}},
                ("INVALID_VALUE", "inner.count", "`inner.count` is 11, out of range"),
            ),
            (
                {"inner": {"name": "a", "count": 1.5}},
                ("WRONG_TYPE", "inner.count", "`inner.count` should be a whole number, but is a number"),
            ),
            ({"text": 5}, ("WRONG_TYPE", "text", "`text` should be text, but is a number")),
            ({"text": ""}, ("INVALID_VALUE", "text", "`text` is empty")),
            ({"text": "x" * 1001}, ("INVALID_VALUE", "text", "`text` has 1001 characters; at most 1000")),
            ({"short": "abcd"}, ("INVALID_VALUE", "short", "`short` has 4 characters; at most 3")),
            (
                {"colour": "blue"},
                (
                    "INVALID_VALUE",
                    "colour",
                    "`colour` cannot have this value; it is not shown, since it may be a secret",
                ),
            ),
            ({"colour": []}, ("WRONG_TYPE", "colour", "`colour` should be text, but is a list")),
            ({"flag": "true"}, ("WRONG_TYPE", "flag", "`flag` should be `true` or `false`, but is text")),
            ({"flag": 1}, ("WRONG_TYPE", "flag", "`flag` should be `true` or `false`, but is a number")),
            ({"day": "2027-13-01"}, ("INVALID_VALUE", "day", "`day` is not a date")),
            ({"day": "20270501"}, ("INVALID_VALUE", "day", "`day` is not a date")),
            ({"day": "2027-W01-1"}, ("INVALID_VALUE", "day", "`day` is not a date")),
            ({"day": 20270501}, ("WRONG_TYPE", "day", "`day` should be a date, but is a number")),
            (
                {"day": datetime(2027, 5, 1, tzinfo=UTC)},
                ("WRONG_TYPE", "day", "`day` should be a date, but is a date or time"),
            ),
            ({"pair": "1"}, ("INVALID_VALUE", "pair", "`pair` is not a pair")),
            ({"pair": ""}, ("INVALID_VALUE", "pair", "`pair` is empty")),
            ({"pair": 1}, ("WRONG_TYPE", "pair", "`pair` should be text, but is a number")),
            ({"shape": "x"}, ("WRONG_TYPE", "shape", "`shape` should be a section with fields, but is text")),
            ({"shape": {"radius": 1}}, ("MISSING_FIELD", "shape.kind", "`shape` lacks the field `kind`")),
            (
                {"shape": {"kind": "cube"}},
                (
                    "INVALID_VALUE",
                    "shape.kind",
                    "`shape.kind` cannot have this value; it is not shown, since it may be a secret",
                ),
            ),
            ({"shape": {"kind": 1}}, ("WRONG_TYPE", "shape.kind", "`shape.kind` should be text, but is a number")),
            ({"shape": {"kind": "circle"}}, ("MISSING_FIELD", "shape.radius", "`shape` lacks the field `radius`")),
            (
                {"shape": {"kind": "circle", "radius": 1, "side": 1}},
                ("UNKNOWN_FIELD", "shape.side", "`side` does not belong to kind `circle`"),
            ),
            ({"words": "a"}, ("WRONG_TYPE", "words", "`words` should be a list, but is text")),
            ({"words": ["a", 1]}, ("WRONG_TYPE", "words.1", "`words.1` should be text, but is a number")),
            ({"folders": 1}, ("WRONG_TYPE", "folders", "`folders` should be a list, but is a number")),
            ({"folders": ""}, ("INVALID_VALUE", "folders", "`folders` is empty")),
            ({"labels": []}, ("WRONG_TYPE", "labels", "`labels` should be a section with fields, but is a list")),
            ({"labels": {"a": 1}}, ("WRONG_TYPE", "labels.a", "`labels.a` should be text, but is a number")),
            ({"labels": {"A": "b"}}, ("INVALID_VALUE", "labels.A", "`labels.A` is not a small word")),
            ({"extra": 1}, ("UNKNOWN_FIELD", "extra", "unknown field `extra`")),
            (
                {"S3cr3t!": 1},
                ("UNKNOWN_FIELD", "S3cr3t!", "unknown field; its name is not shown, since it may be a secret"),
            ),
        ],
    )
    def test_each(self, fields: dict[str, Any], problem: tuple[str, str, str]) -> None:
        assert problems_of(**fields) == [problem]

    def test_all_at_once(self) -> None:
        _, problems = DECODER.decode({"inner": {"nam": "a", "count": "x"}, "colour": 5, "flag": None, "other": 1})
        assert [(problem.kind, problem.path) for problem in problems] == [
            (ProblemKind.WRONG_TYPE, "inner.count"),
            (ProblemKind.UNKNOWN_FIELD, "inner.nam"),
            (ProblemKind.WRONG_TYPE, "colour"),
            (ProblemKind.WRONG_TYPE, "flag"),
            (ProblemKind.UNKNOWN_FIELD, "other"),
        ]

    def test_a_misspelt_field_is_not_missing_too(self) -> None:
        assert [kind for kind, _, _ in problems_of(inner={"nam": "a"})] == ["UNKNOWN_FIELD"]

    @pytest.mark.parametrize("data", [None, [], "x", 1])
    def test_no_section_at_all(self, data: object) -> None:
        value, (problem,) = DECODER.decode(data)
        assert value is None
        assert problem.kind is ProblemKind.WRONG_TYPE
        assert str(problem.message).startswith("`…` should be a section with fields")

    def test_a_missing_field_at_the_top(self) -> None:
        _, (problem,) = DECODER.decode({})
        assert (problem.path, str(problem.message)) == ("inner", "the field `inner` is missing")


class TestHelp:
    @pytest.mark.parametrize(
        ("fields", "help_"),
        [
            ({"colours": "red"}, "did you mean `colour`?"),
            ({"inner": {"name": "a", "zzz": 1}}, "known here: `name`, `count`"),
            ({"inner": {}}, "add `name: …`"),
            ({"colour": "Red"}, "did you mean `red`? allowed: `red`, `green`"),
            ({"colour": "blue"}, "allowed: `red`, `green`"),
            ({"inner": {"name": "A"}}, "for example `word`"),
            ({"inner": {"name": "a", "count": 99}}, "from 1 to 10"),
            ({"pair": "x"}, "for example `1/2`"),
            ({"day": "x"}, "write year-month-day, for example `2027-05-01`"),
            ({"shape": {"kind": "circle", "radius": 1, "filled": True}}, "it belongs to `square`; delete it here"),
        ],
    )
    def test_what_to_do(self, fields: dict[str, Any], help_: str) -> None:
        assert helps_of(**fields) == [help_]


class TestNames:
    def test_the_nearest(self) -> None:
        assert nearest("prot", ["host", "port"]) == "port"
        assert nearest("PORT", ["host", "port"]) == "port"
        assert nearest("zzz", ["host", "port"]) is None
        assert nearest("port" * 1000, ["host", "port"]) is None

    @pytest.mark.parametrize("name", ["prot", "reply-to", "senha", "port2"])
    def test_names_that_may_be_repeated(self, name: str) -> None:
        assert shown_name(name, ["port"]) == name

    @pytest.mark.parametrize("name", ["hunter2", "S3cr3t", "a b", "x" * 41, "", "ação"])
    def test_names_that_may_be_secrets(self, name: str) -> None:
        assert shown_name(name, ["port"]) is None


@dataclass(frozen=True)
class Nullable:
    """One field that may be null, and one that may be left out."""

    needed: str | None
    optional: str | None = None


class TestEncoding:
    def test_what_was_decoded_is_written_again(self) -> None:
        data = {
            "version": 1,
            "inner": {"name": "abc", "count": 2},
            "text": "x",
            "short": "",
            "colour": "green",
            "flag": True,
            "day": "2027-05-01",
            "pair": "3/4",
            "shape": {"kind": "square", "side": 2, "filled": False},
            "words": ["a"],
            "folders": ["b"],
            "labels": {"a": "b"},
        }
        value, problems = DECODER.decode(data)
        assert problems == []
        assert encode(value) == data

    def test_nulls_are_left_out(self) -> None:
        encoded = encode(Outer(inner=Inner(name="a")))
        assert not {"day", "pair", "shape"} & encoded.keys()
        assert encode({"a": None, "b": 1.5}) == {"b": 1.5}
        assert encode(None) is None

    def test_a_field_that_has_to_be_there_is_null(self) -> None:
        assert encode((Nullable(None), Nullable("a", "b"))) == [{"needed": None}, {"needed": "a", "optional": "b"}]


@pytest.mark.parametrize(("count", "told"), [(20, 20), (21, 21), (5_000, 21)])
def test_of_very_many_unknown_fields_the_rest_is_told_as_one(count: int, told: int) -> None:
    started = time.process_time()
    _, problems = Decoder(Operator).decode({f"server{number}": 1 for number in range(count)})
    assert time.process_time() - started < 1
    unknown = [problem for problem in problems if problem.kind is ProblemKind.UNKNOWN_FIELD]
    assert len(unknown) == told
    if count > 20:
        assert unknown[-1].path == "server20"
        assert f"{count - 20} more unknown field" in str(unknown[-1].message)


class TestRecurring:
    @dataclass(frozen=True, kw_only=True)
    class Fleet:
        inner: Annotated[Inner, Recurring()]

    def test_the_same_again_is_the_same_value(self) -> None:
        decoder = Decoder(self.Fleet)
        values = [decoder.decode({"inner": {"name": "abc"}})[0] for _ in range(2)]
        assert values[0] is not None
        assert values[1] is not None
        assert values[0].inner is values[1].inner

    def test_it_stays_right_for_more_than_it_remembers(self) -> None:
        decoder = Decoder(self.Fleet)
        names = ["".join(letters) for letters in product("abcdefghijk", repeat=3)]  # 1,331
        for name in [*names, *names]:
            value, problems = decoder.decode({"inner": {"name": name}})
            assert problems == []
            assert value is not None
            assert value.inner.name == name
