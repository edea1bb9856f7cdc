"""What all tests share: the fixtures that start servers, the report on hostile cases, and how long Hypothesis looks."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["tests.servers.fixtures", "tests.hostile.report"]

# A busy machine is not a failure, and neither is a test that is given a fixture of its whole run.
settings.register_profile("run", deadline=None)
settings.register_profile(
    "long", deadline=None, max_examples=20_000, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
settings.load_profile("run")
