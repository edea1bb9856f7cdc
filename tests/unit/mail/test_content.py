from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.parser import BytesParser
from email.policy import compat32

import pytest

from opsmail.mail.content import recipients, write_out
from opsmail.mail.failure import Failure, Kind


def mail(**headers: str) -> EmailMessage:
    message = EmailMessage()
    for name, value in headers.items():
        message[name] = value
    message.set_content("informação\n")
    return message


def test_ascii_unless_the_server_takes_more() -> None:
    narrow = write_out(mail(Subject="é"), smtputf8=False, eight_bit=False)
    wide = write_out(mail(Subject="é"), smtputf8=True, eight_bit=True)
    assert narrow.data.isascii()
    assert (narrow.smtputf8, narrow.eight_bit) == (False, False)
    assert "informação".encode() in wide.data
    assert (wide.smtputf8, wide.eight_bit) == (False, True)
    assert b"\n" not in narrow.data.replace(b"\r\n", b"")


def test_an_address_that_needs_smtputf8() -> None:
    message = mail(To="José <josé@x.test>")
    content = write_out(message, smtputf8=True, eight_bit=True)
    assert content.smtputf8
    assert "<josé@x.test>".encode() in content.data
    with pytest.raises(Failure) as caught:
        write_out(message, smtputf8=False, eight_bit=True)
    assert caught.value.kind is Kind.SMTPUTF8_MISSING


def test_recipients() -> None:
    message = mail(To="A <a@x.test>, b@x.test", Cc="a@x.test", Bcc="c@x.test, grupo: d@x.test;")
    assert recipients(message) == ("a@x.test", "b@x.test", "c@x.test", "d@x.test")
    assert recipients(mail()) == ()


def test_bcc_stays_out() -> None:
    message = mail(Bcc="c@x.test")
    assert b"c@x.test" not in write_out(message, smtputf8=False, eight_bit=False).data
    assert message["Bcc"] == "c@x.test"


@pytest.mark.case("M-33")
def test_other_classes_are_not_taken() -> None:
    with pytest.raises(Failure) as caught:
        write_out(Message(), smtputf8=False, eight_bit=False)  # type: ignore[arg-type]  # no message of ours
    assert caught.value.kind is Kind.INVALID_MESSAGE


@pytest.mark.case("M-33")
@pytest.mark.parametrize("value", ["a\nb", "a\r\nb", "a\rb", "a\0b", "a\n", "a\r\n b\nc"])
def test_headers_that_end_early(value: str) -> None:
    message = EmailMessage(policy=compat32)
    message["X-Test"] = value
    with pytest.raises(Failure, match="line end") as caught:
        write_out(message, smtputf8=False, eight_bit=False)
    assert caught.value.kind is Kind.INVALID_MESSAGE


def test_a_header_in_a_part_that_ends_early() -> None:
    message = mail()
    part = EmailMessage(policy=compat32)
    part["X-Test"] = "a\nb"
    message.make_mixed()
    message.attach(part)
    with pytest.raises(Failure, match="line end"):
        write_out(message, smtputf8=False, eight_bit=False)


def test_a_header_name_that_ends_early() -> None:
    message = EmailMessage(policy=compat32)
    message["X-Test\r\nBcc"] = "a@x.test"
    with pytest.raises(Failure, match="line end"):
        write_out(message, smtputf8=False, eight_bit=False)


def test_folded_headers_of_a_parsed_message() -> None:
    source = b"Subject: a\r\n b\r\nX-Long: c\r\n\td\r\n\r\nbody\r\n"
    message = message_from_bytes(source, policy=policy.default)
    assert isinstance(message, EmailMessage)
    assert b"Subject: a\r\n b\r\n" in write_out(message, smtputf8=False, eight_bit=False).data
    older = BytesParser(EmailMessage, policy=compat32).parsebytes(source)
    assert isinstance(older, EmailMessage)
    assert b"c\r\n\td" in write_out(older, smtputf8=False, eight_bit=False).data


def test_a_message_that_cannot_be_written() -> None:
    message = EmailMessage()
    message["Content-Type"] = "text/plain; charset=no-such-charset"
    message.set_payload(object())  # type: ignore[call-overload]  # wrong on purpose
    with pytest.raises(Failure, match="cannot be written out") as caught:
        write_out(message, smtputf8=False, eight_bit=False)
    assert caught.value.kind is Kind.INVALID_MESSAGE
