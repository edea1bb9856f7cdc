"""The type that carries a secret shows it to nobody who does not ask by name."""

from __future__ import annotations

import copy
import dataclasses
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from typing import Any

import pytest

from opsmail.mail.endpoint import Credentials
from opsmail.secrets import Secret

VALUE = "p4ssw0rd-ção"


def in_a_traceback(secret: Secret) -> str:
    def fail(password: Secret) -> None:
        raise RuntimeError(password)

    with pytest.raises(RuntimeError) as caught:
        fail(secret)
    return "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())


@pytest.mark.case("C-23")
@pytest.mark.parametrize(
    "shown",
    [
        repr,
        str,
        format,
        ascii,
        lambda secret: f"{secret} {secret!r} {secret:>20}",
        lambda secret: "%s %r" % (secret, secret),  # noqa: UP031 - the old way shows it no more than the new one
        lambda secret: repr([secret, {"password": secret}]),
        lambda secret: repr(Credentials("rh", secret)),
        lambda secret: logging.LogRecord("a", 1, "b", 1, "%s", (secret,), None).getMessage(),
        in_a_traceback,
    ],
)
def test_no_way_of_printing_shows_it(shown: Callable[[Secret], str]) -> None:
    text = shown(Secret(VALUE))
    assert "****" in text
    assert VALUE not in text
    assert ascii(VALUE)[1:-1] not in text


@pytest.mark.case("C-23")
@pytest.mark.parametrize(
    "taken",
    [
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        json.dumps,
        vars,
        lambda secret: dataclasses.asdict(Credentials("rh", secret)),
    ],
)
def test_no_way_of_copying_takes_it_along(taken: Callable[[Secret], Any]) -> None:
    with pytest.raises(TypeError) as caught:
        taken(Secret(VALUE))
    assert VALUE not in str(caught.value)


def test_it_is_revealed_by_name_and_equal_to_nothing_but_itself() -> None:
    secret = Secret(VALUE)
    assert secret.reveal() == VALUE
    others: list[object] = [VALUE, Secret(VALUE)]
    assert secret not in others
