"""Files that are, or look like, YAML: what two readers could take differently is refused."""

from __future__ import annotations

import textwrap

import pytest
import yaml

from opsmail.source.reader import read_document
from tests.builders import edited, operator_data, operator_text
from tests.hostile.files.survival import CANARY, rules, survives


def bomb(levels: int, width: int) -> str:
    """Return merge keys that multiply at each level."""
    lines = ["a0: &a0 {k0: 1}"]
    for level in range(1, levels):
        merged = ", ".join([f"*a{level - 1}"] * width)
        lines.append(f"a{level}: &a{level} {{<<: [{merged}], k{level}: 1}}")
    return "\n".join(lines)


def aliases(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


REFUSED = [
    pytest.param("server: smtp.good.example\nserver: evil.example\n", "OM003", id="Y-01 duplicate key at the top"),
    pytest.param('server: {tls: required, "tls": none}\n', "OM003", id="Y-02 duplicate key, one of them quoted"),
    pytest.param("labels: {1: a, 0x1: b}\n", "OM005", id="Y-03 numbers as keys"),
    pytest.param("labels: {no: a, false: b}\n", "OM005", id="Y-03 truth values as keys"),
    pytest.param("base: &b {tls: none}\nprod: {<<: *b, host: x}\n", "OM005", id="Y-04 merge key"),
    pytest.param(bomb(8, 9), "OM005", id="Y-05 merge bomb"),
    pytest.param(aliases(9), "OM005", id="Y-06 alias bomb"),
    pytest.param("a: &x {b: *x}\n", "OM005", id="Y-07 recursive alias in a mapping"),
    pytest.param("&a [*a]\n", "OM005", id="Y-07 recursive alias in a list"),
    pytest.param("a: &x 1\nb: *x\nc: &x 2\nd: *x\n", "OM005", id="Y-09 anchor defined twice"),
    pytest.param("a: " + "[" * 500, "OM007", id="Y-10 500 nested brackets"),
    pytest.param("a: " + "[" * 30_000, "OM007", id="Y-11 30,000 nested brackets"),
    pytest.param("a: " + "{a: " * 30_000, "OM007", id="Y-11 30,000 nested braces"),
    pytest.param("- " * 60_000, "OM004", id="Y-11 60,000 nested dashes"),
    pytest.param("a:\n" + "".join(f"{' ' * n}a:\n" for n in range(1, 600)), "OM007", id="Y-11 600 indented levels"),
    pytest.param("a: !!python/object/apply:os.system [touch pwned]\n", "OM005", id="Y-13 tag that runs a program"),
    pytest.param("a: !!python/name:os.system\n", "OM005", id="Y-14 tag that names a function"),
    pytest.param("a: !!python/module:os\n", "OM005", id="Y-14 tag that imports"),
    pytest.param("a: !!python/tuple [1]\n", "OM005", id="Y-14 tag of another type"),
    pytest.param('a: !!int ""\n', "OM005", id="Y-16 tag that breaks the safe loader"),
    pytest.param("a: 1\n---\na: 2\n", "OM004", id="Y-19 two documents"),
    pytest.param("a: 1\n...\n---\nb: 2\n", "OM004", id="Y-20 a document after the end"),
    pytest.param("a: 1\n...\ntrailing\n", "OM002", id="Y-20 text after the end"),
    pytest.param("%YAML 1.2\n---\nc: no\n", "OM005", id="Y-21 a directive"),
    pytest.param("%YAML 1.3\n---\nc: no\n", "OM002", id="Y-21 a version that does not exist"),
    pytest.param("%YAML 2.0\n---\nc: no\n", "OM002", id="Y-21 another major version"),
    pytest.param("server: ok.example # note\u2028server: evil\n", "OM010", id="Y-24 line separator in a comment"),
    pytest.param("server: ok.example # note\u2029server: evil\n", "OM010", id="Y-24 paragraph separator in a comment"),
    pytest.param("server: ok.example # note\x85server: evil\n", "OM010", id="Y-24 next line in a comment"),
    pytest.param("server: ok.example # note\rserver: evil\n", "OM010", id="Y-25 carriage return in a comment"),
    pytest.param("\ufeff\ufeffa: 1\n", "OM010", id="Y-29 two byte-order marks"),
    pytest.param(operator_text().encode("utf-16"), "OM006", id="Y-30 UTF-16"),
    pytest.param(operator_text().encode("utf-16-be"), "OM010", id="Y-30 UTF-16 without a mark"),
    pytest.param(operator_text().encode("utf-32"), "OM006", id="Y-31 UTF-32"),
    pytest.param(b"name: caf\xe9\n", "OM006", id="Y-31 Latin-1"),
    pytest.param(b"name: \xc0\xaf\n", "OM006", id="Y-31 overlong form"),
    pytest.param(b"name: \xed\xa0\xbd\xed\xb8\x80\n", "OM006", id="Y-31 surrogates in UTF-8"),
    pytest.param(b"name: a\0b\n", "OM010", id="Y-32 a null byte"),
    pytest.param(r'name: "a\x00b"', "OM010", id="Y-33 a null byte as an escape"),
    pytest.param(r'server: {host: "smtp.x\r\nRCPT TO:<e@v>"}', "OM010", id="Y-34 a line end as an escape"),
    pytest.param(r'name: "\e[31m"', "OM010", id="Y-35 an escape character as an escape"),
    pytest.param(r'name: "\ud800"', "OM002", id="Y-36 half a character"),
    pytest.param(r'name: "\uD83D\uDE00"', "OM002", id="Y-37 two halves of a character"),
    pytest.param("".join(f"k{n}: 1\n" for n in range(450_000)), "OM007", id="Y-39 450,000 short keys"),
    pytest.param("name: " + "x" * 5_000_000, "OM007", id="Y-40 five megabytes in one value"),
    pytest.param("server: {host: |\n  smtp.x\n}", "OM002", id="Y-44 a block text in a flow mapping"),
    pytest.param("server:\n  host: |\n    smtp.x\n", "OM005", id="Y-44 a block text for a field of one line"),
    pytest.param("authentication:\n  password: >-\n    env://\n    X\n", "OM005", id="Y-45 a folded text"),
    pytest.param(f"authentication:\n  password: {CANARY}: x\n", "OM002", id="Y-46 a secret in a syntax error"),
    pytest.param(f'authentication:\n  password: "{CANARY}\n', "OM002", id="Y-46 a secret in a quote without end"),
    pytest.param(f"authentication: {{password: {CANARY}\nx: [\n", "OM002", id="Y-46 a secret in a brace without end"),
    pytest.param(f"{CANARY}\n", "OM004", id="Y-46 a secret alone"),
    pytest.param(f"? {CANARY}\n? {CANARY}\n", "OM005", id="Y-46 a secret as a key"),
]


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
    def test_line_ends_of_another_system(self) -> None:
        """Y-26: the same result, and the same digest."""
        assert rules(operator_text().replace("\n", "\r\n").encode()) == set()

    def test_mixed_line_ends(self) -> None:
        """Y-27."""
        assert rules(operator_text().replace("\n", "\r\n", 5)) == set()

    @pytest.mark.parametrize("value", ["=", "<<"], ids=["Y-43 an equals sign", "Y-43 a merge sign"])
    def test_signs_that_are_types_in_yaml_1_1(self, value: str) -> None:
        assert rules(edited("role: master", f"role: master\nname: {value}")) == set()


# Invalid YAML that PyYAML's scanner lets pass, after the cases of the YAML test suite with these names.
INVALID = {
    "9C9N": "---\nflow: [a,\nb,\nc]\n",
    "9JBA": "---\n[ a, b, c, ]#invalid\n",
    "CVW2": "---\n[ a, b, c,#invalid\n]\n",
    "DK95/01": "foo: 'bar\n\tbaz'\n",
    "EB22": "---\nscalar1 # comment\n%YAML 1.2\n---\nscalar2\n",
    "G5U8": "---\n- [-, -]\n",
    "MUS6/01": "%YAML 1.2 foo\n---\n",
    "QB6E": "---\nquoted: 'a\nb\nc'\n",
    "RHX7": "---\nkey: value\n%YAML 1.2\n---\n",
    "S98Z": "empty block scalar: >\n \n  \n   \n # comment\n",
    "SU5Z": 'key: "value"# invalid comment\n',
    "YJV2": "[-]\n",
}
#: What is read as anybody would read it: nothing can be taken in two ways.
KNOWN = {"9C9N", "SU5Z"}


@pytest.mark.parametrize("name", INVALID, ids=lambda name: f"Y-47 {name}")
def test_invalid_yaml_that_the_parser_lets_pass(name: str) -> None:
    """All but two are refused for another reason; of those two, what looks like a comment is treated as one."""
    document, problems = read_document(INVALID[name].encode())
    assert bool(problems) is (name not in KNOWN)
    assert (document is None) is (name not in KNOWN)
    survives(f"{INVALID[name]}# {CANARY}")


class TestOtherReaders:
    """Y-50: what this reader takes, a YAML 1.1 and a YAML 1.2 reader take in the same way, or its fields refuse it."""

    @pytest.mark.parametrize(
        "text",
        [
            operator_text(),
            operator_text().replace("\n", "\r\n"),
            textwrap.dedent("""\
                a: "x"
                b: 'y: z'
                c: [1, -2, "3"]
                d: {e: true, f: null}
                g: 1.5
            """),
        ],
    )
    def test_the_same_data(self, text: str) -> None:
        document, _ = read_document(text.encode())
        assert document is not None
        assert document.data == yaml.safe_load(text)
        assert document.data == yaml.load(text, Loader=yaml.CSafeLoader)

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
