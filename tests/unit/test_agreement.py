"""The published schemas of the files that people write judge as the readers of those files do.

What the schema refuses the reader refuses, so an editor never marks what opsmail takes; and the other way round, so a
file without marks has no fault of shape.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft7Validator, Draft202012Validator

from opsmail.operator.model import Operator
from opsmail.settings.model import SettingsFile
from opsmail.shape import Decoder
from tests.documents import documents
from tests.published import published
from tests.unit import schema_differences
from tests.unit.schema_differences import Difference, known


class Judges:
    """The schema in both dialects, and the reader.

    Args:
        name: the schema's.
        target: what the reader makes.
        differences: those that are known.
    """

    def __init__(self, name: str, target: type, differences: tuple[Difference, ...]) -> None:
        self._draft_7, self._draft_2020 = (
            dialect(published(name)) for dialect in (Draft7Validator, Draft202012Validator)
        )
        self._decoder: Decoder[Any] = Decoder(target)
        self._differences = differences

    def judge(self, document: Any) -> str:
        """Return what both say; fails where they differ and it is not known why."""
        by_schema = self._draft_7.is_valid(document)
        assert self._draft_2020.is_valid(document) is by_schema
        value, problems = self._decoder.decode(document)
        by_reader = value is not None and not problems
        if by_schema is by_reader:
            return "taken" if by_reader else "refused"
        stricter = "schema" if by_reader else "reader"
        errors = [error.message for error in self._draft_7.iter_errors(document)]
        told = errors or [str(problem.message) for problem in problems]
        assert known(self._differences, stricter, document), f"only the {stricter} refuses {document}: {told}"
        return "known"


@pytest.mark.parametrize(
    ("name", "target", "differences"),
    [
        ("operator", Operator, schema_differences.OPERATOR),
        ("settings", SettingsFile, schema_differences.SETTINGS),
    ],
)
def test_documents_from_the_description(name: str, target: type, differences: tuple[Difference, ...]) -> None:
    judges = Judges(name, target, differences)
    verdicts: Counter[str] = Counter()

    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
    @given(documents(target))
    def judge(document: Any) -> None:
        verdicts[judges.judge(document)] += 1

    judge()
    # Both verdicts are met, so neither side of the agreement holds for want of cases.
    assert verdicts["taken"] > 30, verdicts
    assert verdicts["refused"] > 30, verdicts
