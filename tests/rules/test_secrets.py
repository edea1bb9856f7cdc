"""OM6xx beyond the examples of their pages."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from opsmail.check.interface import Context, Fleet, FleetProblem
from opsmail.check.result import Member
from opsmail.check.rules import secrets as rules
from opsmail.findings import FixSafety, SchemeReplacement
from opsmail.messages import msg
from opsmail.operator.model import Operator
from opsmail.secrets import NeededSecret, SecretError
from tests.rules.checking import BASIC, MODERN, context, only, operator, problems

CATALOGUE = """
[[servers]]
host = "smtp.empresa.com.br"
connections = ["587/starttls"]
authentication = ["basic", "modern"]
secrets = ["env://OPSMAIL_SECRET_{OPERATOR}"]
tenants = ["empresa.onmicrosoft.com"]
client_ids = ["11111111-2222-3333-4444-555555555555"]
"""


def with_password(reference: str) -> dict[str, str]:
    return {**BASIC, "password": reference}


def test_om601_shows_neither_the_value_nor_its_length() -> None:
    problem = only(rules.literal_secret, operator(authentication=with_password("troque-me"), name="rh.sp-1"))
    assert problem.at_key
    assert problem.path == "authentication.password"
    assert "troque-me" not in repr(problem)
    assert "`env://OPSMAIL_SECRET_RH_SP_1`" in str(problem.help)


def test_om601_sees_every_secret_field() -> None:
    credential = {"kind": "certificate", "pfx": "MIIC", "passphrase": "abcd"}
    subject = operator(authentication={**MODERN, "credential": credential})
    assert [problem.path for problem in problems(rules.literal_secret, subject)] == [
        "authentication.credential.pfx",
        "authentication.credential.passphrase",
    ]


def test_references_are_no_literals_and_known_kinds_are_known() -> None:
    for reference in ("env://OPSMAIL_SECRET_RH", "file:///run/secrets/rh"):
        subject = operator(authentication=with_password(reference))
        assert not problems(rules.literal_secret, subject)
        assert not problems(rules.unknown_secret_scheme, subject)


def test_om602_names_the_nearest_kind_or_all() -> None:
    near = only(rules.unknown_secret_scheme, operator(authentication=with_password("filee:///run/secrets/rh")))
    assert str(near.help) == "did you mean `file://`?"
    far = only(rules.unknown_secret_scheme, operator(authentication=with_password("cofre://rh")))
    assert str(far.help) == "known here: `env://`, `file://`"
    assert far.fix is None


def test_om602_changes_the_kind_alone_and_repeats_nothing_else() -> None:
    near = only(rules.unknown_secret_scheme, operator(authentication=with_password("evn://S3NHA_4711")))
    assert near.fix is not None
    assert near.fix.safety is FixSafety.UNSAFE
    assert near.fix.changes == (SchemeReplacement("authentication.password", "env"),)
    assert "S3NHA" not in repr(near)
    # Under the right name of its kind it would be no reference: it may be a password with `://` in it.
    assert only(rules.unknown_secret_scheme, operator(authentication=with_password("evn://p@ss!"))).fix is None


def test_om602_leaves_literals_to_om601() -> None:
    assert not problems(rules.unknown_secret_scheme, operator(authentication=with_password("troque-me")))


def test_om604_allows_the_operators_own_reference_alone() -> None:
    circumstances = context(CATALOGUE)
    assert not problems(rules.secret_not_for_server, operator(), circumstances)
    problem = only(rules.secret_not_for_server, operator(name="financeiro"), circumstances)
    assert problem.path == "authentication.password"
    assert str(problem.help) == "approved for it: `env://OPSMAIL_SECRET_FINANCEIRO`"


def test_om604_never_allows_the_settings_own_secrets() -> None:
    circumstances = context(CATALOGUE.replace("env://OPSMAIL_SECRET_{OPERATOR}", "env://*"))
    subject = operator(authentication=with_password("env://OPSMAIL_SIGNING_KEY"))
    assert "of opsmail's own settings" in str(only(rules.secret_not_for_server, subject, circumstances).message)


def test_om604_judges_credentials_without_a_secret_too() -> None:
    subject = operator(authentication={**MODERN, "credential": {"kind": "federated"}})
    assert only(rules.secret_not_for_server, subject, context(CATALOGUE)).path == "authentication.credential.kind"
    allowed = CATALOGUE.replace('{OPERATOR}"', '{OPERATOR}", "federated"')
    assert not problems(rules.secret_not_for_server, subject, context(allowed))


def test_om604_leaves_what_is_not_approved_otherwise_to_om209() -> None:
    subject = operator(server={"host": "smtp.outra.com.br"})
    assert not problems(rules.secret_not_for_server, subject, context(CATALOGUE))


class Nothing:
    """Has no secret, and remembers which ones it was asked for."""

    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, needed: Collection[NeededSecret]) -> Mapping[NeededSecret, SecretError]:
        self.asked.append([f"{item.reference} {item.is_password}" for item in needed])
        return {item: SecretError(msg("{reference} is not here", reference=item.reference)) for item in needed}


def unresolvable(circumstances: Context, *subjects: Operator) -> tuple[list[FleetProblem], list[str]]:
    """Return what OM606 finds where there is no secret at all, and which ones it asked for, all at once."""
    nothing = Nothing()
    members = [Member(f"operators/{item.operator}.yaml", item, item.operator, None) for item in subjects]
    fleet = Fleet((Member("operators/broken.yaml", None, None, None), *members), whole=True)
    found = list(rules.unresolvable_secret.check(fleet, replace(circumstances, try_secrets=nothing)))
    (asked,) = nothing.asked
    return found, asked


def test_om606_is_silent_where_no_secret_is_to_be_touched() -> None:
    fleet = Fleet((Member("operators/rh.yaml", operator(), "rh", None),), whole=True)
    assert list(rules.unresolvable_secret.check(fleet, context())) == []


def test_om606_tries_each_secret_once_and_tells_everyone_who_needs_it() -> None:
    found, asked = unresolvable(context(), operator(), operator(name="ti"))
    assert asked == ["env://OPSMAIL_SECRET_RH True"]
    assert [problem.file for problem in found] == ["operators/rh.yaml", "operators/ti.yaml"]
    assert [problem.problem.path for problem in found] == ["authentication.password"] * 2
    assert str(found[0].problem.message) == "env://OPSMAIL_SECRET_RH is not here"
    assert found[0].problem.help is not None  # also where the error has no hint


def test_om606_asks_of_credentials_that_they_are_there() -> None:
    credential = {"kind": "certificate", "pfx": "file:///run/pfx", "passphrase": "env://PASSPHRASE"}
    found, asked = unresolvable(context(), operator(authentication={**MODERN, "credential": credential}))
    assert asked == ["file:///run/pfx False", "env://PASSPHRASE False"]
    assert [problem.problem.path for problem in found] == [
        "authentication.credential.pfx",
        "authentication.credential.passphrase",
    ]


def test_om606_reads_nothing_that_other_rules_refuse() -> None:
    refused = ("troque-me", "cofre://rh/senha")
    assert unresolvable(context(), *(operator(authentication=with_password(text)) for text in refused)) == ([], [])
    reserved = operator(authentication=with_password("env://OPSMAIL_SIGNING_KEY"))
    assert unresolvable(context(), reserved) == ([], [])
    foreign = operator(authentication=with_password("env://GITHUB_TOKEN"))
    elsewhere = operator(server={"host": "smtp.outra.com.br"})
    assert unresolvable(context(CATALOGUE), foreign, elsewhere, reserved) == ([], [])
    assert unresolvable(context(CATALOGUE), operator())[1] == ["env://OPSMAIL_SECRET_RH True"]
