"""Where each Microsoft cloud gives out tokens, and for what: facts from `opsmail/data/clouds.yaml`."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

from opsmail.operator.model import Cloud
from opsmail.values import dataclass


@dataclass(frozen=True, slots=True)
class CloudFacts:
    """One cloud.

    Args:
        authority: the identity provider's host.
        resource: what an application's token is asked for.
        delegated: the permission that a person's token is asked for.
        audiences: what a token for SMTP may be for.
        federation: the audience of an outside identity token that stands for a secret.
    """

    authority: str
    resource: str
    delegated: str
    audiences: frozenset[str]
    federation: str


@cache
def cloud_facts(cloud: Cloud) -> CloudFacts:
    """Return what is known of `cloud`."""
    import yaml  # not needed where nobody uses modern authentication

    text = files("opsmail").joinpath("data", "clouds.yaml").read_text(encoding="utf-8")
    row: dict[str, Any] = yaml.safe_load(text)[cloud.value]
    return CloudFacts(
        row["authority"], row["resource"], row["delegated"], frozenset(row["audiences"]), row["federation"]
    )
