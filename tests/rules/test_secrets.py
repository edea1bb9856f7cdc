"""OM6xx beyond the examples of their pages."""

from __future__ import annotations

from opsmail.check.rules import secrets as rules
from opsmail.findings import FixSafety, SchemeReplacement
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
