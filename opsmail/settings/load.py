"""From `opsmail.toml` and the files it names to settings that can be worked with."""

from __future__ import annotations

import hashlib
import ssl
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import rfc8785

from opsmail.errors import UsageError
from opsmail.messages import Message, msg
from opsmail.operator.digest import Connection, EffectiveOperator, canonical_host
from opsmail.operator.model import Operator
from opsmail.references import SecretReference
from opsmail.settings.catalogue import Catalogue, pattern_fault
from opsmail.settings.model import GateKey, SettingsFile
from opsmail.settings.toml import field_line
from opsmail.shape import Decoder, Problem, ProblemKind, encode

FILE_NAME = "opsmail.toml"
WAIVERS_NAME = "waivers.yaml"
DEFAULT_ENVIRONMENT = "default"
_OVERLAYABLE = ("store", "gate", "live", "servers")


class SettingsError(UsageError):
    """The settings are wrong; each problem on a line of its own, with its place."""


class Files(Protocol):
    """Where the files that settings name are read from."""

    def read(self, path: str) -> bytes | None:
        """Return the content of one file, None when there is none."""


@dataclass(frozen=True)
class Settings:
    """The effective settings of one environment.

    Args:
        file: what `opsmail.toml` says, the environment laid over it, defaults filled in.
        present: whether there is a settings file at all.
        environment: the environment's name.
        texts: the files that the settings name (certificates, keys), path to text.
        waivers: the bytes of `waivers.yaml`; None when there is none.
    """

    file: SettingsFile
    present: bool = True
    environment: str = DEFAULT_ENVIRONMENT
    texts: Mapping[str, str] = field(default_factory=dict)
    waivers: bytes | None = None

    @cached_property
    def catalogue(self) -> Catalogue:
        """The approved servers, and the references that are the settings' own."""
        return Catalogue(self.file.servers, frozenset({self.file.gate.signing_key}))

    def connection(self, operator: Operator) -> Connection:
        """Return what the catalogue adds to the operator's server."""
        entry = self.catalogue.entry(operator.server.host)
        if entry is None:
            return Connection()
        ca = None if entry.ca is None else canonical_pem(self.texts[entry.ca])
        return Connection(address=entry.address, ca=ca, private=entry.private)

    def effective(self, operator: Operator) -> EffectiveOperator:
        """Return the operator as it is tested and published."""
        return EffectiveOperator(operator, self.connection(operator))

    @cached_property
    def signing_key(self) -> SecretReference:
        """The reference to the private key that signs evidence and generations."""
        return SecretReference.parse(self.file.gate.signing_key)

    @cached_property
    def digest(self) -> str:
        """The SHA-256 over everything that decides: policy, servers, gate, waivers, and the files they name."""
        decides = {
            "policy": encode(self.file.policy),
            "servers": encode(self.file.servers),
            "gate": encode(self.file.gate),
            "files": {path: hashlib.sha256(text.encode()).hexdigest() for path, text in self.texts.items()},
            "waivers": hashlib.sha256(self.waivers or b"").hexdigest(),
        }
        return f"sha256:{hashlib.sha256(rfc8785.dumps(decides)).hexdigest()}"


def load_settings(files: Files, environment: str = DEFAULT_ENVIRONMENT, name: str = FILE_NAME) -> Settings:
    """Read the settings of one environment.

    Args:
        files: the working tree or a commit.
        environment: which `[environments.NAME]` is laid over the rest.
        name: path of the settings file in `files`.

    Raises:
        SettingsError: they are wrong, or a file that they name is missing.
    """
    content = files.read(name)
    waivers = files.read(WAIVERS_NAME)
    if content is None:
        if environment != DEFAULT_ENVIRONMENT:
            raise SettingsError(
                msg("there is no {file}, so there is no environment `{name}`", file=name, name=environment),
                hint=msg("run opsmail in the folder of opsmail.toml"),
            )
        return Settings(SettingsFile(), present=False, waivers=waivers)
    text, data = _parse(content, name)
    data = _overlay(data, environment, name)
    value, problems = Decoder(SettingsFile).decode(data)
    if problems or value is None:
        raise _wrong(name, text, problems)
    _judge(value, text, name)
    return Settings(value, True, environment, _named_files(value, files, text, name), waivers)


def _parse(content: bytes, name: str) -> tuple[str, dict[str, Any]]:
    try:
        text = content.decode("utf-8")
        return text, tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise SettingsError(msg("{file} is not UTF-8", file=name), hint=msg("save it as UTF-8")) from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise SettingsError(
            msg("{file} is not valid TOML: {reason}", file=name, reason=str(error)), hint=msg("correct the line")
        ) from error


def _overlay(data: dict[str, Any], environment: str, name: str) -> dict[str, Any]:
    """Lay the environment over the rest: tables merge, arrays replace."""
    environments = data.get("environments", {})
    base = {key: value for key, value in data.items() if key != "environments"}
    if not isinstance(environments, dict) or not all(isinstance(item, dict) for item in environments.values()):
        raise SettingsError(
            msg("{file}: `environments` holds one table per environment", file=name),
            hint=msg("write `[environments.production]`"),
        )
    for known, overlay in environments.items():
        foreign = [key for key in overlay if key not in _OVERLAYABLE]
        if foreign:
            raise SettingsError(
                msg("{file}: `environments.{known}` cannot change `{key}`", file=name, known=known, key=foreign[0]),
                hint=msg("an environment changes {names}", names=", ".join(f"`{key}`" for key in _OVERLAYABLE)),
            )
    if environment in environments:
        return _merged(base, environments[environment])
    if environment != DEFAULT_ENVIRONMENT:
        raise SettingsError(
            msg("{file} has no environment `{name}`", file=name, name=environment),
            hint=msg("known: {names}", names=", ".join(sorted(environments)) or "–"),
        )
    return base


def _merged(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        existing = result.get(key)
        result[key] = _merged(existing, value) if isinstance(existing, dict) and isinstance(value, dict) else value
    return result


def _wrong(name: str, text: str, problems: Sequence[Problem]) -> SettingsError:
    first = problems[0]
    error = SettingsError(_placed(name, text, first.path, first.message, first.kind), hint=first.help)
    for problem in problems[1:]:
        error.add_note(str(_placed(name, text, problem.path, problem.message, problem.kind)))
    return error


def _placed(
    name: str, text: str, path: str, message: Message, kind: ProblemKind = ProblemKind.INVALID_VALUE
) -> Message:
    line = field_line(text, path)
    return msg("{file}:{line}: {problem}", file=name, line=line, problem=message)


def _judge(settings: SettingsFile, text: str, name: str) -> None:
    """Refuse what each field allows by itself and the whole does not."""
    seen: set[str] = set()
    for index, entry in enumerate(settings.servers or ()):
        host = canonical_host(entry.host)
        if host in seen:
            raise SettingsError(
                _placed(name, text, f"servers.{index}.host", msg("the server `{host}` stands twice", host=host)),
                hint=msg("put all that is approved for it into one entry"),
            )
        seen.add(host)
        for pattern in entry.secrets:
            fault = pattern_fault(pattern)
            if fault is not None:
                raise SettingsError(
                    _placed(name, text, f"servers.{index}.secrets", fault),
                    hint=msg("for example `env://OPSMAIL_SECRET_{OPERATOR}`"),
                )
    if SecretReference.parse(settings.gate.signing_key).is_literal:
        raise SettingsError(
            _placed(name, text, "gate.signing_key", msg("`gate.signing_key` is not a secret reference")),
            hint=msg("write where the key is kept, for example `env://OPSMAIL_SIGNING_KEY`"),
        )


def _named_files(settings: SettingsFile, files: Files, text: str, name: str) -> dict[str, str]:
    named = [(f"servers.{index}.ca", entry.ca) for index, entry in enumerate(settings.servers or ()) if entry.ca]
    named += [(f"gate.keys.{index}.file", key.file) for index, key in enumerate(settings.gate.keys)]
    texts: dict[str, str] = {}
    for place, path in named:
        if path.startswith("/") or ".." in path.split("/") or "\\" in path:
            raise SettingsError(
                _placed(name, text, place, msg("`{path}` leads out of the repository", path=path)),
                hint=msg("name a file below the folder of opsmail.toml"),
            )
        content = files.read(path)
        if content is None:
            raise SettingsError(
                _placed(name, text, place, msg("there is no file `{path}`", path=path)),
                hint=msg("add it, or correct the name"),
            )
        try:
            texts[path] = content.decode("ascii")
            if place.endswith(".ca"):
                canonical_pem(texts[path])
        except ValueError as error:
            raise SettingsError(
                _placed(name, text, place, msg("`{path}` is not a PEM file", path=path)), hint=msg("export it as PEM")
            ) from error
    return texts


def canonical_pem(text: str) -> str:
    """Return the certificates of a PEM file in one spelling, comments left out.

    Raises:
        ValueError: there is none, or one is damaged.
    """
    begin, end = ssl.PEM_HEADER, ssl.PEM_FOOTER
    certificates = []
    for part in text.split(begin)[1:]:
        body, found, _ = part.partition(end)
        if not found:
            raise ValueError("a certificate does not end")
        certificates.append(ssl.DER_cert_to_PEM_cert(ssl.PEM_cert_to_DER_cert(f"{begin}{body}{end}")))
    if not certificates:
        raise ValueError("no certificate")
    return "".join(certificates)


def trusted_key_files(settings: Settings) -> list[tuple[GateKey, str]]:
    """Return each public key's entry with its PEM text."""
    return [(key, settings.texts[key.file]) for key in settings.file.gate.keys]
