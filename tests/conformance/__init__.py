import pytest

pytest.register_assert_rewrite(
    "tests.conformance.store",
    "tests.conformance.sweeping",
    "tests.conformance.collecting",
    "tests.conformance.server",
    "tests.conformance.relational",
    "tests.conformance.database",
)
