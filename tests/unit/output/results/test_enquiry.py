"""A message to IT shows what was found, whoever found it, and nothing that a terminal would obey."""

from __future__ import annotations

from gettext import NullTranslations

from opsmail.findings import FIRST_CHARACTER, Finding, RuleMeta, Severity
from opsmail.messages import msg
from opsmail.operator.model import Operator
from opsmail.output.results.enquiry import Enquiry, as_json, as_text
from opsmail.settings.catalogue import Catalogue
from opsmail.shape import Decoder
from tests.builders import operator_data


def finding(path: str) -> Finding:
    rule = RuleMeta("ORG001", "own", Severity.WARNING)
    return Finding(rule, Severity.WARNING, "operators/rh.yaml", FIRST_CHARACTER, msg("not \x1b[31mours"), path=path)


def test_a_finding_without_help_and_with_control_characters() -> None:
    operator, _ = Decoder(Operator).decode(operator_data())
    assert operator is not None
    enquiry = Enquiry.about(operator, Catalogue(None), [finding("server.host"), finding("labels.team")])
    text = as_text(enquiry, NullTranslations())
    assert "   The check says: not \\x1b[31mours (ORG001)\n" in text
    assert "\x1b" not in text + as_json(enquiry)
