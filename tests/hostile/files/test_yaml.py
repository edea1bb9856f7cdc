"""Files that are, or look like, YAML: what two readers could take differently is refused."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from ruamel.yaml import YAML

from opsmail.source.document import Document
from opsmail.source.reader import read_document
from tests.builders import edited, operator_data, operator_text
from tests.hostile.files.contents import CANARY, REFUSED
from tests.hostile.files.strategies import GOOD, SOUPS, mutants
from tests.hostile.files.survival import rules, survives


class TestRefused:
    @pytest.mark.parametrize(("content", "rule"), REFUSED)
    def test_with_its_rule(self, content: str | bytes, rule: str) -> None:
        assert rule in rules(content)

    def test_both_places_of_a_duplicate_are_told(self) -> None:
        (finding,) = survives("server: smtp.good.example\nserver: evil.example\n")
        assert finding.span.line == 2
        assert [item.span.line for item in finding.related] == [1]

    def test_a_wrong_byte_is_told_by_its_offset(self) -> None:
        (finding,) = survives(b"name: caf\xe9\n")
        assert "byte 9" in str(finding.message)


class TestAccepted:
    @pytest.mark.case("Y-26")
    def test_line_ends_of_another_system(self) -> None:
        text = operator_text().replace("\n", "\r\n").encode()
        assert rules(text) == set()
        document, _ = read_document(text)
        assert document is not None
        assert document.data == operator_data()

    @pytest.mark.case("Y-27")
    def test_mixed_line_ends(self) -> None:
        text = operator_text().replace("\n", "\r\n", 5)
        assert rules(text) == set()
        document, _ = read_document(text.encode())
        assert document is not None
        assert document.data == operator_data()

    @pytest.mark.case("Y-43")
    @pytest.mark.parametrize("value", ["=", "<<"])
    def test_signs_that_are_types_in_yaml_1_1(self, value: str) -> None:
        assert rules(edited("role: master", f"role: master\nname: {value}")) == set()


# Invalid YAML that PyYAML takes: each in the form of the case of that name in the YAML test suite
# (github.com/yaml/yaml-test-suite). It takes no other of the suite's 94 invalid cases, and neither does this reader.
INVALID = {
    "9C9N": "---\nflow: [a,\nb,\nc]\n",
    "9JBA": "---\n[ a, b, c, ]#invalid\n",
    "CVW2": "---\n[ a, b, c,#invalid\n]\n",
    "DK95/01": "foo: 'bar\n\tbaz'\n",
    "EB22": "---\nscalar1 # comment\n%YAML 1.2\n---\nscalar2\n",
    "G5U8": "---\n- [-, -]\n",
    "MUS6/00": "%YAML 1.2#x\n---\n",
    "MUS6/01": "%YAML 1.1\n---\n%YAML 1.1\n---\n",
    "QB6E": "---\nquoted: 'a\nb\nc'\n",
    "RHX7": "---\nkey: value\n%YAML 1.2\n---\n",
    "S98Z": "empty block scalar: >\n \n  \n   \n # comment\n",
    "SU5Z": 'key: "value"# invalid comment\n',
    "X4QW": "text: |# no space before this\n  a\n",
    "Y79Y/03": "- [\n\ta,\n b\n ]\n",
    "YJV2": "[-]\n",
}
#: What is read as anybody would read it: nothing can be taken in two ways.
KNOWN = {"9C9N", "SU5Z"}
#: Read in the same way where a list is wanted, which is in waivers, whose entries they cannot be.
KNOWN_LISTS = {"9JBA", "CVW2", "G5U8", "Y79Y/03", "YJV2"}


@pytest.mark.case("Y-47")
@pytest.mark.parametrize("name", INVALID)
def test_invalid_yaml_that_the_parser_lets_pass(name: str) -> None:
    """All but two are refused for another reason; of those two, what looks like a comment is treated as one."""
    document, problems = read_document(INVALID[name].encode())
    assert bool(problems) is (name not in KNOWN)
    assert (document is None) is (name not in KNOWN)
    survives(f"{INVALID[name]}# {CANARY}")
    document, _ = read_document(INVALID[name].encode(), list)
    assert (document is None) is (name not in KNOWN_LISTS)
    assert ({finding.rule.id for finding in survives(operator_text(), waivers=INVALID[name])} == {"OM801"}) is (
        name in KNOWN_LISTS
    )


#: Documents of many forms to start from.
LOOSE = (
    'a: "x"\nb: \'y: z\'\nc: [1, -2, "3"]\nd: {e: true, f: null}\ng: 1.5\n',
    "a:\n- b\n-   c: d\n    e:\n- [f, {g: h}]\ni:\n  - - j\n    - k  # l\n",
    "a: b#c\nd: e f\n\n# g\nh: {i: , j}\nk: ~\nl: 'm''n'\no: \"\\t\\u00e9\"\np: q:r\n",
)


@pytest.mark.case("Y-50")
class TestOtherReaders:
    """What this reader takes, others take in the same way; what only some take for a number or a date is a text."""

    @pytest.mark.parametrize("text", GOOD)
    def test_the_same_data(self, text: str) -> None:
        document, _ = read_document(text.encode())
        assert document is not None
        assert document.data == yaml.safe_load(text)
        assert document.data == yaml.load(text, Loader=yaml.CSafeLoader)
        assert document.data == loaded(text, "safe")

    @given(SOUPS | mutants() | mutants(LOOSE))
    def test_the_same_structure_and_texts(self, text: str) -> None:
        """To ruamel.yaml's own parser, which gives every scalar as a text; the values of numbers are compared, too."""
        document, problems = read_document(text.encode())
        if document is not None and not problems:
            assert as_texts(document, document.data) == loaded(text, "base")
            for path, scalar in document.scalars.items():
                value = document.value(path)
                assert isinstance(value, str) or value == loaded(scalar.value, "safe")

    @pytest.mark.parametrize(
        ("written", "rule"),
        [("no", "OM103"), ("yes", "OM103"), ("on", "OM103"), ("Off", "OM103"), ("TRUE", "OM103"), ("1", "OM103")],
    )
    def test_truth_values_of_one_of_them_alone(self, written: str, rule: str) -> None:
        assert rules(edited("role: master", f"role: master\nenabled: {written}")) == {rule}

    def test_a_text_stays_a_text(self) -> None:
        document, _ = read_document(b"name: no\ntime: 12:30:00\nday: 2027-05-01\n")
        assert document is not None
        assert document.data == {"name": "no", "time": "12:30:00", "day": "2027-05-01"}


def test_the_correct_file_that_these_start_from() -> None:
    document, _ = read_document(operator_text().encode())
    assert document is not None
    assert document.data == operator_data()


def loaded(text: str, kind: str) -> Any:
    """Return what ruamel.yaml makes of a text by YAML 1.2; of kind `base`, all scalars are texts."""
    reader = YAML(typ=kind, pure=True)
    reader.version = (1, 2)
    return reader.load(text)


def as_texts(document: Document, value: Any, path: str = "") -> Any:
    """Return a document's data with every scalar as it is written, less quotes and escapes."""
    if isinstance(value, dict):
        return {name: as_texts(document, item, f"{path}.{name}") for name, item in value.items()}
    if isinstance(value, list):
        return [as_texts(document, item, f"{path}.{number}") for number, item in enumerate(value)]
    return document.scalars[path[1:]].value
