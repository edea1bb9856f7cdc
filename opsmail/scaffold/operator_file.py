"""The text of a new operator file: each field on a line, with what the choice means beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from gettext import NullTranslations
from pathlib import PurePosixPath
from typing import Any

from opsmail.errors import UsageError
from opsmail.messages import Message, msg
from opsmail.operator.model import Operator
from opsmail.scaffold.draft import Draft
from opsmail.scaffold.questions import QUESTIONS, secret_field
from opsmail.scaffold.scalars import scalar
from opsmail.shape import Decoder, shown
from opsmail.source.scalars import is_plain_key
from opsmail.source.tree import file_name_problem

SCHEMA = "schemas/operator.schema.json"

#: Field to the question that answers it; the others answer themselves, or were judged when they were answered.
_QUESTION_OF = {
    "name": "name",
    "sender.address": "address",
    "sender.display_name": "display_name",
    "sender.reply_to": "reply_to",
    "server.host": "host",
    "authentication.username": "username",
    "authentication.tenant": "tenant",
    "authentication.client_id": "client_id",
}


def require_id(operator: str) -> None:
    """Return when an operator can have this id, and its file this name.

    Raises:
        UsageError: it cannot.
    """
    if file_name_problem(f"{operator}.yaml") is not None:
        raise UsageError(
            msg(
                "`{name}` is not an operator id: 1 to 63 of a-z, 0-9, `.`, `_`, `-`, starting with a letter or digit",
                name=shown(operator),
            ),
            hint=msg("for example `rh-notificacoes`"),
        )


def operator_data(draft: Draft) -> dict[str, Any]:
    """Return a completed draft as an operator file holds it."""
    data = {
        "version": 1,
        "operator": draft.operator,
        "name": draft.get("name"),
        "role": draft.get("role"),
        "sender": {
            "address": draft.get("address"),
            "display_name": draft.get("display_name"),
            "reply_to": draft.get("reply_to"),
            "send_as": bool(draft.get("send_as")),
        },
        "server": {
            "host": draft.get("host"),
            "port": int(draft.get("port")),
            "encryption": draft.get("encryption"),
        },
        "authentication": _authentication(draft),
    }
    return _filled(data)


def _authentication(draft: Draft) -> dict[str, Any]:
    kind = draft.get("authentication")
    if kind == "none":
        return {"type": kind}
    if kind == "basic":
        return {"type": kind, "username": draft.get("username"), "password": draft.get("secret")}
    credential = {"kind": draft.get("credential")}
    if draft.get("secret"):
        credential |= {secret_field(draft): draft.get("secret"), "passphrase": draft.get("passphrase")}
    cloud = None if draft.provider is None else draft.provider.cloud
    return {
        "type": kind,
        "username": draft.get("username"),
        "tenant": draft.get("tenant"),
        "client_id": draft.get("client_id"),
        "cloud": "" if cloud in (None, "global") else cloud,
        "credential": credential,
    }


def _filled(data: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what was not answered."""
    filled = {name: _filled(item) if isinstance(item, dict) else item for name, item in data.items()}
    return {name: item for name, item in filled.items() if item not in ("", False)}


def require_valid(data: Mapping[str, Any]) -> Operator:
    """Return the operator that a file with such data describes.

    Raises:
        UsageError: there is none; every field that is wrong is told.
    """
    operator, problems = Decoder(Operator).decode(data)
    if operator is not None:
        return operator
    options = {question.name: question.option for question in QUESTIONS}
    errors = [
        UsageError(
            msg("{option}: {fault}", option=options[_QUESTION_OF[problem.path]], fault=problem.message),
            hint=problem.help,
        )
        for problem in problems
    ]
    first = errors[0]
    first.further = tuple(errors[1:])
    raise first


def operator_text(data: Mapping[str, Any], draft: Draft, folder: str, language: NullTranslations | None = None) -> str:
    """Return the file's text.

    Args:
        data: what it says, from `operator_data`.
        draft: what is known besides, for the comments.
        folder: of the file, from the repository's root.
        language: of the comments.
    """
    comments = {path: message.render(language) for path, message in _comments(data, draft)}
    head = msg("Change what does not fit, then open a pull request. `opsmail check` tells what is wrong, and where.")
    return "\n".join([_schema_line(folder), f"# {head.render(language)}", *_lines(data, "", comments), ""])


def plain_text(data: Mapping[str, Any], folder: str) -> str:
    """Return the text of a file without explanations.

    Args:
        data: what it says, complete or not.
        folder: of the file, from the repository's root.
    """
    return "\n".join([_schema_line(folder), *_lines(data, "", {}), ""])


def _schema_line(folder: str) -> str:
    up = "../" * len(PurePosixPath(folder).parts)
    return f"# yaml-language-server: $schema={up}{SCHEMA}"


def _lines(data: Mapping[str, Any], prefix: str, comments: Mapping[str, str]) -> Iterator[str]:
    indentation = "  " * prefix.count(".")
    for name, value in data.items():
        path = f"{prefix}{name}"
        key = name if is_plain_key(name) else f'"{name}"'
        comment = f" # {comments[path]}" if path in comments else ""
        if isinstance(value, dict):
            yield f"{indentation}{key}:{comment}"
            yield from _lines(value, f"{path}.", comments)
        else:
            yield f"{indentation}{key}: {scalar(value)}{comment}"


def _comments(data: Mapping[str, Any], draft: Draft) -> Iterator[tuple[str, Message]]:
    """Yield what a reader should know of a field, by its path."""
    yield "operator", msg("the file's name without .yaml")
    if data["role"] == "master":
        yield (
            "role",
            msg("the scheduler sends with these settings; exactly one operator is the master, all others are standard"),
        )
    else:
        yield "role", msg("standard, or master: the one operator with whose settings the scheduler sends")
    yield "sender", msg("who the messages are from; many servers refuse an address that is not the account's")
    if "send_as" in data["sender"]:
        yield "sender.send_as", msg("the account was given the right to send as this address")
    yield from _server_comments(draft)
    yield from _authentication_comments(data["authentication"], draft)


def _server_comments(draft: Draft) -> Iterator[tuple[str, Message]]:
    provider = draft.provider
    if provider is not None and provider.source.startswith("https://"):
        yield "server", msg("{provider}, see {source}", provider=provider.name, source=provider.source)
    elif draft.entry is not None:
        yield "server", msg("as IT approved it in opsmail.toml")
    else:
        yield "server", msg("to be agreed with IT: server, port, encryption and authentication")
    yield "server.encryption", msg("starttls (587), implicit-tls (465, called SSL in many forms) or none")


def _authentication_comments(authentication: Mapping[str, Any], draft: Draft) -> Iterator[tuple[str, Message]]:
    kinds = {
        "basic": msg("user and password; modern: Microsoft OAuth 2.0; none: no login"),
        "modern": msg("Microsoft OAuth 2.0, no password is sent; basic: user and password; none: no login"),
        "none": msg("no login, where the server takes mail without one; basic: user and password"),
    }
    yield "authentication.type", kinds[authentication["type"]]
    if authentication["type"] == "basic":
        source = None if draft.provider is None else draft.provider.app_password_source
        if draft.provider is not None and draft.provider.app_password and source is not None:
            yield (
                "authentication.password",
                msg(
                    "where the app password is kept, never the password itself: {source}",
                    source=source,
                ),
            )
        else:
            yield "authentication.password", msg("where the password is kept, never the password itself")
    if authentication["type"] == "modern":
        yield "authentication.username", msg("the mailbox that sends")
        yield "authentication.tenant", msg("the organisation's directory: its GUID or first domain")
        yield "authentication.client_id", msg("the application that is registered in Entra")
        yield "authentication.credential.kind", _CREDENTIALS[authentication["credential"]["kind"]]
        for name in ("secret", "pfx", "token_cache"):
            yield f"authentication.credential.{name}", msg("where it is kept, never the secret itself")


_CREDENTIALS = {
    "client-secret": msg("the application's secret, which ends and has to be renewed"),
    "certificate": msg("the application's certificate with its key, as base64 of the PFX"),
    "federated": msg("the CI's own identity; nothing is stored"),
    "managed-identity": msg("the identity of the Azure machine that runs opsmail; nothing is stored"),
    "delegated": msg("a person signs in once, with `opsmail login`"),
}
