"""Microsoft's numbers, given by an identity provider in its own words, lead to the entry that explains them."""

from __future__ import annotations

from typing import Any

import pytest

from opsmail.mail.diagnosis import ReplyTable
from opsmail.mail.endpoint import Endpoint
from opsmail.mail.failure import Failure, Stage
from tests.diagnoses import ENTRIES
from tests.unit.mail.oauth.identity import identity, modern, refused, soon, tokens

HINTS = [(hint, entry) for entry in ENTRIES for hint in entry.get("hints", ())]


@pytest.mark.parametrize(("hint", "entry"), HINTS, ids=[f"AADSTS{hint}" for hint, _ in HINTS])
def test_a_number_is_explained(hint: int, entry: dict[str, Any]) -> None:
    with identity(refused(entry["example"]["error"], hint)) as provider, pytest.raises(Failure) as caught:
        tokens().fetch(modern(provider), soon())
    diagnosis = ReplyTable.load().diagnose(caught.value.at(Stage.TOKEN), Endpoint("smtp.office365.com", 587))
    assert (diagnosis.rule_id, diagnosis.path, diagnosis.fault) == (entry["rule"], entry["path"], entry["fault"])
    assert diagnosis.cause.template == entry["cause"]
