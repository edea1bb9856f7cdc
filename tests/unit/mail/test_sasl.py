from __future__ import annotations

import base64

import pytest

from opsmail.mail import sasl
from opsmail.mail.endpoint import BearerCredentials, Credentials
from opsmail.mail.failure import Failure, Kind
from opsmail.secrets.interface import Secret

LOGIN = Credentials("usuário", Secret("sençha-1"))
BEARER = BearerCredentials("a=b,c@x.test", Secret("token-token"))


@pytest.mark.parametrize(
    ("offered", "mechanism"),
    [
        (["LOGIN", "PLAIN"], "PLAIN"),
        (["LOGIN", "XOAUTH2"], "LOGIN"),
        (["XOAUTH2", "OAUTHBEARER", "CRAM-MD5"], None),
        ([], None),
    ],
)
def test_one_mechanism_is_chosen(offered: list[str], mechanism: str | None) -> None:
    script = sasl.choose(offered, LOGIN)
    assert (script and script.mechanism) == mechanism


def test_passwords_are_utf8() -> None:
    plain, login = sasl.choose(["PLAIN"], LOGIN), sasl.choose(["LOGIN"], LOGIN)
    assert plain is not None
    assert login is not None
    assert plain.responses == ("\0usuário\0sençha-1".encode(),)
    assert login.responses == ("usuário".encode(), "sençha-1".encode())
    assert "sen" not in repr(plain) + repr(login)


def test_bearer_tokens_go_in_two_steps() -> None:
    assert sasl.choose(["PLAIN", "LOGIN"], BEARER) is None
    script = sasl.choose(["OAUTHBEARER"], BEARER)
    assert script is not None
    assert script.responses == (b"n,a=a=3Db=2Cc@x.test,\x01auth=Bearer token-token\x01\x01",)
    assert not script.initial
    assert script.answers[-1] == b"\x01"
    assert sasl.supported(BEARER) == ("XOAUTH2", "OAUTHBEARER")


@pytest.mark.parametrize(
    ("challenge", "text"),
    [
        (base64.b64encode(b'{"status": "401"}').decode(), '{"status":"401"}'),
        ("", None),
        ("!!", None),
        (base64.b64encode(b"[1]").decode(), None),
        (base64.b64encode(b"\xff").decode(), None),
        (base64.b64encode(b"[" * 2000).decode(), None),
        (base64.b64encode(b'{"a": ' + b"[" * 2000).decode(), None),
        (base64.b64encode(b'{"status":"400","a":{"b":1},"c":null,"d":7}').decode(), '{"status":"400","d":7}'),
        (base64.b64encode(b'{"status":"\\u001b[2J"}').decode(), '{"status":"\\u001b[2J"}'),
        (base64.b64encode(b'{"status":"' + b"4" * 600 + b'"}').decode(), None),
        (base64.b64encode(b'{"status":"' + b"4" * 6000 + b'"}').decode(), None),
    ],
)
def test_the_error_in_a_challenge(challenge: str, text: str | None) -> None:
    assert sasl.error_text(challenge) == text


@pytest.mark.parametrize(
    "login",
    [
        Credentials("", Secret("long enough")),
        Credentials("a\0b", Secret("long enough")),
        Credentials("a\x01b", Secret("long enough")),
        Credentials("a", Secret("abc")),
        Credentials("a", Secret("")),
        Credentials("a", Secret("abc\r\n")),
        Credentials("a", Secret("abc\ud800")),
        BearerCredentials("a", Secret("tok\x01auth=x")),
    ],
)
def test_never_sent(login: sasl.Login) -> None:
    with pytest.raises(Failure) as caught:
        sasl.check(login)
    assert caught.value.kind is Kind.INVALID_CREDENTIALS


def test_sent() -> None:
    sasl.check(LOGIN)
    sasl.check(BEARER)
