"""Numbers that programs read differently."""

from __future__ import annotations

import pytest

from tests.builders import edited
from tests.hostile.files.survival import rules, survives


def port(text: str) -> set[str]:
    return rules(edited("port: 587", f"port: {text}"))


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        pytest.param("0587", "OM009", id="N-01 a leading zero"),
        pytest.param("0607", "OM009", id="N-02 an octal number"),
        pytest.param("0465", "OM009", id="N-02 a leading zero before digits that are no octal"),
        pytest.param("025", "OM009", id="N-02 a short octal number"),
        pytest.param("0o1113", "OM009", id="N-03 octal of YAML 1.2"),
        pytest.param("0x24B", "OM009", id="N-04 hexadecimal"),
        pytest.param("0b1001001011", "OM009", id="N-04 binary"),
        pytest.param("1_000", "OM009", id="N-04 underscores"),
        pytest.param("22:22", "OM009", id="N-05 base 60"),
        pytest.param("587:00", "OM009", id="N-05 base 60 with zeros"),
        pytest.param("1e3", "OM009", id="N-06 an exponent"),
        pytest.param("1.0e3", "OM009", id="N-06 a decimal with an exponent"),
        pytest.param("1.0e+3", "OM009", id="N-06 a signed exponent"),
        pytest.param(".nan", "OM009", id="N-08 not a number"),
        pytest.param(".inf", "OM009", id="N-09 infinity"),
        pytest.param("-.inf", "OM009", id="N-09 negative infinity"),
        pytest.param("true", "OM103", id="N-10 a truth value"),
        pytest.param("587.0", "OM103", id="N-10 a decimal"),
        pytest.param('"587"', "OM103", id="N-14 a number in quotes"),
        pytest.param("０５８７", "OM103", id="N-14 digits of another script"),
        pytest.param("0", "OM104", id="N-16 zero"),
        pytest.param("-1", "OM104", id="N-16 a negative number"),
        pytest.param("65536", "OM104", id="N-16 one too many"),
        pytest.param("999999999999999999", "OM104", id="N-16 the largest that is a number"),
        pytest.param("9223372036854775808", "OM009", id="N-26 over 64 bits"),
        pytest.param("0x" + "f" * 200_000, "OM009", id="N-18 a hundred thousand digits"),
        pytest.param("1:" + "0:" * 60_000 + "0", "OM009", id="N-19 sixty thousand base-60 groups"),
        pytest.param("9" * 200_000, "OM009", id="N-18 two hundred thousand nines"),
        pytest.param("1" + "_" * 200_000 + "x", "OM103", id="N-18 underscores without an end"),
        pytest.param("1:0:" * 150_000, "OM007", id="N-19 over the limit of bytes"),
    ],
)
def test_a_port_that_is_not_plainly_a_number(text: str, rule: str) -> None:
    assert port(text) == {rule}


class TestWords:
    def test_a_country_is_no_truth_value(self) -> None:
        """N-12: a text stays a text; where a truth value is wanted, it is told what to write."""
        assert rules(edited("role: master", "role: master\nlabels: {country: no}")) == set()
        (finding,) = survives(edited("role: master", "role: master\nenabled: no"))
        assert (finding.rule.id, str(finding.help)) == ("OM103", "write `true` or `false`")

    @pytest.mark.parametrize("key", ["no", "on", "1", "~", "null", "1.5", "[a]"], ids=lambda key: f"N-13 {key}")
    def test_as_a_key(self, key: str) -> None:
        assert rules(f"{key}: x\n") == {"OM005"}


class TestNothing:
    """N-24: four ways to give no password, each told for what it is."""

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
