"""Numbers that programs read differently."""

from __future__ import annotations

import pytest

from tests.builders import edited
from tests.hostile.catalogue import case
from tests.hostile.files.survival import rules, survives


def port(text: str) -> set[str]:
    return rules(edited("port: 587", f"port: {text}"))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        case("N-01 a leading zero", "0587", "OM009"),
        case("N-02 an octal number", "0607", "OM009"),
        case("N-02 a leading zero before digits that are no octal", "0465", "OM009"),
        case("N-02 a short octal number", "025", "OM009"),
        case("N-03 octal of YAML 1.2", "0o1113", "OM009"),
        case("N-04 hexadecimal", "0x24B", "OM009"),
        case("N-04 binary", "0b1001001011", "OM009"),
        case("N-04 underscores", "1_000", "OM009"),
        case("N-05 base 60", "22:22", "OM009"),
        case("N-05 base 60 with zeros", "587:00", "OM009"),
        case("N-06 an exponent", "1e3", "OM009"),
        case("N-06 a decimal with an exponent", "1.0e3", "OM009"),
        case("N-06 a signed exponent", "1.0e+3", "OM009"),
        case("N-08 not a number", ".nan", "OM009"),
        case("N-09 infinity", ".inf", "OM009"),
        case("N-09 negative infinity", "-.inf", "OM009"),
        case("N-10 a truth value", "true", "OM103"),
        case("N-10 a decimal", "587.0", "OM103"),
        case("N-14 a number in quotes", '"587"', "OM103"),
        case("N-14 digits of another script", "０５８７", "OM103"),
        case("N-16 zero", "0", "OM104"),
        case("N-16 a negative number", "-1", "OM104"),
        case("N-16 one too many", "65536", "OM104"),
        case("N-16 the largest that is a number", "999999999999999999", "OM104"),
        case("N-26 over 64 bits", "9223372036854775808", "OM009"),
        case("N-18 a hundred thousand digits", "0x" + "f" * 200_000, "OM009"),
        case("N-19 sixty thousand base-60 groups", "1:" + "0:" * 60_000 + "0", "OM009"),
        case("N-18 two hundred thousand nines", "9" * 200_000, "OM009"),
        case("N-18 underscores without an end", "1" + "_" * 200_000 + "x", "OM103"),
        case("N-19 over the limit of bytes", "1:0:" * 150_000, "OM007"),
    ],
)
def test_a_port_that_is_not_plainly_a_number(text: str, rule: str) -> None:
    assert port(text) == {rule}


class TestWords:
    @pytest.mark.case("N-12")
    def test_a_country_is_no_truth_value(self) -> None:
        """A text stays a text; where a truth value is wanted, it is told what to write."""
        assert rules(edited("role: master", "role: master\nlabels: {country: no}")) == set()
        (finding,) = survives(edited("role: master", "role: master\nenabled: no"))
        assert (finding.rule.id, str(finding.help)) == ("OM103", "write `true` or `false`")

    @pytest.mark.case("N-13")
    @pytest.mark.parametrize("key", ["no", "on", "1", "~", "null", "1.5", "[a]"])
    def test_as_a_key(self, key: str) -> None:
        assert rules(f"{key}: x\n") == {"OM005"}


@pytest.mark.case("N-24")
class TestNothing:
    """Four ways to give no password, each told for what it is."""

    @pytest.mark.parametrize(
        ("line", "rule", "message"),
        [
            ("password: ~", "OM103", "`authentication.password` should be text, but is empty"),
            ("password:", "OM103", "`authentication.password` should be text, but is empty"),
            ('password: ""', "OM104", "`authentication.password` is empty"),
            ("", "OM102", "`authentication` lacks the field `password`"),
        ],
    )
    def test_each(self, line: str, rule: str, message: str) -> None:
        (finding,) = survives(edited('password: "env://OPSMAIL_SECRET_RH"', line))
        assert (finding.rule.id, str(finding.message)) == (rule, message)
