"""Whether secrets can be had: what is said of those that cannot, and that nothing is kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from opsmail.errors import UnavailableError
from opsmail.messages import msg
from opsmail.references import SecretReference
from opsmail.secrets import NeededSecret, Secret, SecretError, Secrets, SecretStoreUnreachable
from opsmail.secrets.env import EnvironmentSecrets
from opsmail.secrets.trial import SecretTrial

CANARY = "canário-4711"


@dataclass(frozen=True)
class Store:
    answer: Callable[[SecretReference], Secret]

    def resolve(self, reference: SecretReference) -> Secret:
        return self.answer(reference)


def needed(text: str, *, is_password: bool = False) -> NeededSecret:
    return NeededSecret(SecretReference.parse(text), is_password)


def down(reference: SecretReference) -> Secret:
    raise SecretStoreUnreachable(msg("{vault} does not answer", vault=reference.locator[:6]), hint=msg("start it"))


def test_what_is_there_is_not_spoken_of() -> None:
    trial = SecretTrial(Secrets({"env": EnvironmentSecrets({"A": CANARY, "B": "x"})}))
    assert trial([]) == {}
    assert trial([needed("env://A", is_password=True), needed("env://B")]) == {}
    assert trial.unreachable is None


@pytest.mark.parametrize(
    ("text", "is_password", "sentence"),
    [
        ("env://NONE", True, "the environment variable `NONE` is not set"),
        ("env://NONE", False, "the environment variable `NONE` is not set"),
        ("env://EMPTY", True, "the password from `env://EMPTY` does not have 4 to 1024 characters"),
        ("env://EMPTY", False, "`env://EMPTY` is empty"),
        ("env://LINES", True, "the password from `env://LINES` contains a line end or another control character"),
        ("other://x", False, "nothing here resolves `other://`"),
    ],
)
def test_what_cannot_be_had(text: str, is_password: bool, sentence: str) -> None:
    trial = SecretTrial(Secrets({"env": EnvironmentSecrets({"EMPTY": "", "LINES": f"{CANARY}\n"})}))
    item = needed(text, is_password=is_password)
    errors = trial([item])
    assert {key: str(error) for key, error in errors.items()} == {item: sentence}
    assert errors[item].hint is not None
    assert errors[item].__traceback__ is None  # its frames held the value
    assert CANARY not in str(errors)
    assert trial.unreachable is None


def test_a_store_that_does_not_answer_is_another_matter() -> None:
    trial = SecretTrial(Secrets({"vault": Store(down), "env": EnvironmentSecrets({})}))
    items = [needed(f"vault://vault{number % 7}/{number}") for number in range(20)]
    errors = trial([*items, needed("env://NONE")])
    assert [str(error) for error in errors.values()] == ["the environment variable `NONE` is not set"]
    told = trial.unreachable
    assert isinstance(told, UnavailableError)
    assert str(told) == "not every secret could be tried: vault0 does not answer"
    assert str(told.hint) == "start it"
    assert [str(error) for error in told.further] == [f"vault{number} does not answer" for number in range(1, 5)]


def test_many_are_asked_for_at_the_same_time_but_not_all() -> None:
    gathered = threading.Barrier(8)
    running, most, lock = 0, 0, threading.Lock()

    def answer(reference: SecretReference) -> Secret:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        gathered.wait(30)  # eight at a time, or none goes on
        with lock:
            running -= 1
        return Secret(CANARY)

    trial = SecretTrial(Secrets({"vault": Store(answer)}))
    assert trial([needed(f"vault://a/{number}") for number in range(16)]) == {}
    assert most <= 8


def test_each_is_asked_for_once_however_often_a_run_looks() -> None:
    asked = []

    def answer(reference: SecretReference) -> Secret:
        asked.append(str(reference))
        if reference.locator == "down/x":
            raise SecretStoreUnreachable(msg("the vault does not answer"))
        return Secret("")

    trial = SecretTrial(Secrets({"vault": Store(answer)}))
    empty, unanswered = needed("vault://a/x"), needed("vault://down/x")
    assert list(trial([empty, unanswered])) == list(trial([empty])) == [empty]
    assert trial([unanswered]) == {}
    assert sorted(asked) == ["vault://a/x", "vault://down/x"]
    assert trial.unreachable is not None


def test_what_is_no_answer_is_not_kept_back() -> None:
    def broken(reference: SecretReference) -> Secret:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        SecretTrial(Secrets({"vault": Store(broken)}))([needed("vault://a/b")])


def test_it_is_a_secret_error_too() -> None:
    assert issubclass(SecretStoreUnreachable, SecretError)
