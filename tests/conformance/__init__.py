import pytest

pytest.register_assert_rewrite(
    "tests.conformance.store", "tests.conformance.server", "tests.conformance.relational", "tests.conformance.database"
)
