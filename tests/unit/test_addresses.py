from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from opsmail.addresses import Address, AddressError, Reason, parse_address, parse_domain

GOOD = [
    "rh@empresa.com.br",
    "rh+teste@empresa.com.br",
    "o'neill@empresa.com.br",
    "a@localhost",
    "a@mail.local",
    "a@mail.test",
    "a@xn--caf-dma.com.br",
    "a" * 64 + "@x.test",
    "!#$%&'*+/=?^_`{|}~-@x.test",
    "a@" + ".".join(["b" * 60] * 3) + ".test",
    "a@1und1.de",
    "a@3com.com",
]
BAD = [
    ("", Reason.EMPTY),
    ("rh", Reason.NO_AT),
    ("rh@", Reason.DOMAIN_MISSING),
    ("@x.test", Reason.DOT),
    (".a@x.test", Reason.DOT),
    ("a.@x.test", Reason.DOT),
    ("a..b@x.test", Reason.DOT),
    ("a@b@x.test", Reason.CHARACTER),
    ("a,b@x.test", Reason.CHARACTER),
    ("a(b)@x.test", Reason.CHARACTER),
    ("a:b@x.test", Reason.CHARACTER),
    ("a\\b@x.test", Reason.CHARACTER),
    ('"a"@x.test', Reason.QUOTED),
    ("a b@x.test", Reason.SPACE),
    ("a\u00a0b@x.test", Reason.SPACE),
    ("a@x.test\u2028", Reason.SPACE),
    ("<a@x.test>", Reason.ANGLE_BRACKET),
    ("RH <a@x.test>", Reason.SPACE),
    ("a@x>\r\nRCPT TO:<evil@x", Reason.ANGLE_BRACKET),
    ("a@x.test\r\n", Reason.CONTROL),
    ("a\0@x.test", Reason.CONTROL),
    ("a\u200b@x.test", Reason.CONTROL),
    ("a\u202e@x.test", Reason.CONTROL),
    ("\ud800@x.test", Reason.CONTROL),
    ("jose\u0301@x.test", Reason.NOT_NORMALISED),
    ("a" * 65 + "@x.test", Reason.TOO_LONG),
    ("é" * 33 + "@x.test", Reason.TOO_LONG),
    ("a" * 60 + "@" + ".".join(["b" * 48] * 4) + ".test", Reason.TOO_LONG),
    ("x" * 100_000, Reason.TOO_LONG),
    ("a@[127.0.0.1]", Reason.DOMAIN_LITERAL),
    ("a@x.test:25", Reason.DOMAIN_LITERAL),
    ("a@127.0.0.1", Reason.DOMAIN_NUMERIC),
    ("a@1.1", Reason.DOMAIN_NUMERIC),
    ("a@0x7f000001", Reason.DOMAIN_NUMERIC),
    ("a@0x", Reason.DOMAIN_NUMERIC),
    ("a@x.test.", Reason.DOT),
    ("a@.x.test", Reason.DOT),
    ("a@x..test", Reason.DOT),
    ("a@-x.test", Reason.DOMAIN_SYNTAX),
    ("a@x-.test", Reason.DOMAIN_SYNTAX),
    ("a@x_y.test", Reason.DOMAIN_SYNTAX),
    ("a@x/y.test", Reason.DOMAIN_SYNTAX),
    ("a@" + "b" * 64 + ".test", Reason.TOO_LONG),
    ("a@café.com.br", Reason.DOMAIN_NOT_ASCII),
    ("a@ex\u0430mple.test", Reason.DOMAIN_NOT_ASCII),
    ("a@☃\u0301.test", Reason.DOMAIN_NOT_ASCII),
]


@pytest.mark.parametrize("text", GOOD)
def test_addresses(text: str) -> None:
    address = parse_address(text)
    assert str(address) == text
    assert not address.needs_smtputf8


@pytest.mark.parametrize(("text", "reason"), BAD)
def test_no_addresses(text: str, reason: Reason) -> None:
    with pytest.raises(AddressError) as caught:
        parse_address(text)
    assert caught.value.reason is reason
    assert isinstance(caught.value, ValueError)
    # The reason may be shown as it is: nothing of the text that could act on a terminal is in it.
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 200


def test_parts() -> None:
    assert parse_address("RH@Empresa.COM.br") == Address("RH", "empresa.com.br")
    assert parse_address("josé@empresa.com.br").needs_smtputf8


def test_an_internationalised_domain_is_shown_in_ascii() -> None:
    with pytest.raises(AddressError, match="xn--caf-dma"):
        parse_address("a@café.com.br")


@pytest.mark.parametrize(("text", "reason"), [("", Reason.DOMAIN_MISSING), ("a." * 127 + "test", Reason.TOO_LONG)])
def test_no_domains(text: str, reason: Reason) -> None:
    with pytest.raises(AddressError) as caught:
        parse_domain(text)
    assert caught.value.reason is reason


def test_domains_in_one_form() -> None:
    assert parse_domain("SMTP.Empresa.COM.BR") == "smtp.empresa.com.br"


@settings(deadline=None)  # a busy machine is not a failure
@given(st.text(max_size=300) | st.from_regex(r"[a-z.<>\r\n@ ]{1,30}@[a-z.<>\r\n@ ]{1,30}"))
def test_whatever_is_accepted_cannot_end_a_command(text: str) -> None:
    try:
        address = parse_address(text)
    except AddressError:
        return
    line = str(address)
    assert not set(line) & set("<>\r\n\t \0")
    assert len(line.encode()) <= 254
    assert len(address.local.encode()) <= 64
    assert address.domain.isascii()
    assert address.domain == address.domain.lower()
    assert parse_address(line) == address
