"""The table of what failures mean, as it is written, and its examples as something to run."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from typing import Any

import yaml

from opsmail.mail.endpoint import Encryption, Endpoint
from opsmail.mail.failure import Kind, Stage, StageError
from opsmail.mail.oauth.answers import OAuthError
from opsmail.mail.reply import Reply, ReplyParser
from opsmail.messages import msg


def _read(name: str) -> list[dict[str, Any]]:
    data = yaml.safe_load(files("opsmail").joinpath("data", name).read_text("utf-8"))
    entries: list[dict[str, Any]] = data["entries"]
    return entries


#: In the order in which they are tried.
ENTRIES = (*_read("receipt.yaml"), *_read("tokens.yaml"), *_read("replies.yaml"))


def examples(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what an entry decides: its example, and others that are known of it."""
    return [entry["example"], *({**entry["example"], **other} for other in entry.get("also", ()))]


def reply(text: str) -> Reply:
    parsed, rest = ReplyParser().feed(text.encode() + b"\r\n")
    assert parsed is not None
    assert not rest
    return parsed


def failure(example: Mapping[str, Any]) -> tuple[StageError, Endpoint]:
    """Return the failure that an example describes, and where it was met."""
    said = reply(example["reply"]) if "reply" in example else None
    error = StageError(
        Stage(example["stage"]),
        Kind(example.get("kind", "reply")),
        msg("what happened"),
        reply=said,
        command=example.get("command"),
        oauth=OAuthError(example["error"], tuple(example.get("hints", ()))) if "error" in example else None,
        outcome_unknown=example.get("outcome_unknown", False),
    )
    endpoint = Endpoint(
        example.get("host", "smtp.empresa.com.br"),
        587,
        Encryption(example.get("encryption", "starttls")),
        address=example.get("address"),
    )
    return error, endpoint
