"""From `opsmail.toml` and the files it names to settings that can be worked with."""

from __future__ import annotations

import hashlib
import posixpath
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from functools import cached_property
from typing import Any, Protocol

from opsmail.canonical import canonical_json
from opsmail.expressions import expression
from opsmail.messages import msg
from opsmail.operator.digest import Connection, EffectiveOperator
from opsmail.operator.model import Federated, ModernAuthentication, Operator
from opsmail.references import SecretReference
from opsmail.settings.catalogue import Catalogue
from opsmail.settings.faults import Fault, SettingsError
from opsmail.settings.files import DEFAULT_ENVIRONMENT, FILE_NAME, WAIVERS_NAME
from opsmail.settings.judged import judged
from opsmail.settings.model import GateKey, SettingsFile
from opsmail.settings.organisation import leads_out, outside
from opsmail.settings.toml import FieldLines
from opsmail.shape import Decoder, encode
from opsmail.source.characters import code_point, unseen
from opsmail.values import dataclass

#: What an environment may change.
OVERLAYABLE = ("store", "gate", "live", "servers")
# Not from `ssl`, which takes longer to load than many files to check (RFC 7468 section 5).
_PEM_BEGIN, _PEM_END, _PEM_WIDTH = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----", 64
#: What comes before the host in a URL (RFC 3986 section 3.2.1).
_USER = expression(r"^([^:/?#]+://)(?:[^/?#]*@)?")
_AT = expression(r" \(at (?:line ([0-9]+), column [0-9]+|end of document)\)$")
#: How tomllib names a table: as a tuple of Python.
_TABLE_NAME = expression(r"\('([^()]*?)',?\)")


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
        environments: the names of all that the file knows, the default one included.
        texts: the files that the settings name (certificates, keys, schemas), path to text.
        waivers: the bytes of `waivers.yaml`; None when there is none.
        name: path of the settings file.
        text: the settings file itself, for findings that stand in it.
    """

    file: SettingsFile
    present: bool = True
    environment: str = DEFAULT_ENVIRONMENT
    environments: tuple[str, ...] = (DEFAULT_ENVIRONMENT,)
    texts: Mapping[str, str] = field(default_factory=dict)
    waivers: bytes | None = None
    name: str = FILE_NAME
    text: str = ""

    @cached_property
    def catalogue(self) -> Catalogue:
        """The approved servers, and the references that are the settings' own."""
        return Catalogue(self.file.servers, frozenset(str(reference) for _, reference in self.references()))

    def references(self) -> Iterator[tuple[str, SecretReference]]:
        """Yield each secret reference that the settings use themselves, with its path."""
        named: list[tuple[str, str | None]] = [
            ("gate.signing_key", self.file.gate.signing_key),
            ("store.password", self.file.store.password),
            ("store.reader_password", self.file.store.reader_password),
            ("live.probe.secret", None if self.file.live.probe is None else self.file.live.probe.secret),
        ]
        named += [
            (f"servers.{index}.federated_token", entry.federated_token)
            for index, entry in enumerate(self.file.servers or ())
        ]
        for path, text in named:
            if text is not None:
                yield path, SecretReference.parse(text)

    @cached_property
    def probe(self) -> EffectiveOperator | None:
        """The account of the probe mailbox with the connection to its IMAP server; None where there is none."""
        probe = self.file.live.probe
        return None if probe is None else self.effective(probe.account())

    def connection(self, operator: Operator) -> Connection:
        """Return what the catalogue adds to the operator's server, and to its identity provider where it has one."""
        entry = self.catalogue.entry(operator.server.host)
        if entry is None:
            return Connection()
        ca = None if entry.ca is None else self._authorities[entry.ca]
        plain = Connection(address=entry.address, ca=ca, private=entry.private)
        if not isinstance(operator.authentication, ModernAuthentication):
            return plain
        federated = isinstance(operator.authentication.credential, Federated)
        return replace(
            plain,
            authority=entry.authority,
            authority_ca=None if entry.authority_ca is None else self._authorities[entry.authority_ca],
            federated_audience=entry.federated_audience if federated else None,
            federated_token=entry.federated_token if federated else None,
        )

    @cached_property
    def _authorities(self) -> Mapping[str, str]:
        paths = (path for entry in self.file.servers or () for path in (entry.ca, entry.authority_ca))
        return {path: canonical_pem(self.texts[path]) for path in paths if path is not None}

    def effective(self, operator: Operator) -> EffectiveOperator:
        """Return the operator as it is tested and published."""
        return EffectiveOperator(operator, self.connection(operator))

    @cached_property
    def signing_key(self) -> SecretReference:
        """The reference to the private key that signs evidence and generations."""
        return SecretReference.parse(self.file.gate.signing_key)

    def store_login(self, *, writing: bool) -> tuple[str, SecretReference | None]:
        """Return the store's URL with who logs in, and the reference to their password; None where it asks for none.

        Args:
            writing: whether the store will be changed.
        """
        store = self.file.store
        url, password = store.url, store.password
        if store.reader is not None and not writing:
            from urllib.parse import quote  # a check opens no store

            user = quote(store.reader, safe="")
            url, password = _USER.sub(lambda found: f"{found[1]}{user}@", url, count=1), store.reader_password
        return url, None if password is None else SecretReference.parse(password)

    @cached_property
    def store_ca(self) -> str | None:
        """The certificates of the store's authority, in PEM; None where none is named."""
        return None if self.file.store.ca is None else canonical_pem(self.texts[self.file.store.ca])

    @cached_property
    def digest(self) -> str:
        """The SHA-256 over everything that decides: policy, servers, rules, gate, waivers, and the files they name."""
        decides = {
            "policy": encode(self.file.policy),
            "runtime": encode(self.file.runtime),
            "servers": encode(self.file.servers),
            "rules": encode([replace(rule, tests=()) for rule in self.file.rules]),
            "schema": encode(self.file.schema),
            "gate": encode(self.file.gate),
            "files": {path: hashlib.sha256(text.encode()).hexdigest() for path, text in self.texts.items()},
            "waivers": hashlib.sha256(self.waivers or b"").hexdigest(),
        }
        return f"sha256:{hashlib.sha256(canonical_json(decides)).hexdigest()}"


def load_settings(files: Files, environment: str = DEFAULT_ENVIRONMENT, name: str = FILE_NAME) -> Settings:
    """Read the settings of one environment; the others are judged too, so that a deployment meets no surprise.

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
    decoder = Decoder(SettingsFile)
    values = {}
    texts: dict[str, str] = {}
    faults: dict[Fault, None] = {}
    for known, overlaid in _environments(data, environment, name).items():
        overlay = f"environments.{known}"
        value, problems = decoder.decode(overlaid)
        found = [Fault(problem.path, problem.message, problem.help) for problem in problems]
        if value is not None:
            values[known] = value
            found += judged(value)
        if known == environment and value is not None:
            texts, unusable = _named_files(value, files)
            found += unusable
        if found:
            lines = FieldLines(text)
            faults |= dict.fromkeys(fault._replace(line=lines.line(fault.path, overlay)) for fault in found)
    if faults:
        raise SettingsError.of(name, faults)
    tidy = _tidy(values[environment])
    return Settings(
        tidy,
        environment=environment,
        environments=tuple(values),
        texts=texts,
        waivers=waivers,
        name=name,
        text=text,
    )


def _parse(content: bytes, name: str) -> tuple[str, dict[str, Any]]:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SettingsError(msg("{file} is not UTF-8", file=name), hint=msg("save it as UTF-8")) from error
    found = next(unseen(text), None)
    if found is not None:
        line = text.count("\n", 0, found.start()) + 1
        message = msg("invisible character {code_point}", code_point=code_point(found[0]))
        raise SettingsError.of(name, [Fault("", message, msg("delete it: a reviewer cannot see it"), line)])
    try:
        return text, tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # a number of thousands of digits is a plain ValueError
        reason = _TABLE_NAME.sub(lambda found: "`" + found[1].replace("', '", ".") + "`", str(error))
        at = _AT.search(reason)
        message = msg("not valid TOML: {reason}", reason=reason[: at.start()] if at else reason)
        line = int(at[1]) if at and at[1] else text.count("\n") + 1
        raise SettingsError.of(name, [Fault("", message, msg("correct the line"), line)]) from error


def _environments(data: dict[str, Any], wanted: str, name: str) -> dict[str, dict[str, Any]]:
    """Return what is set in each environment, the default one included: tables merge, arrays replace."""
    overlays = data.get("environments", {})
    base = {key: value for key, value in data.items() if key != "environments"}
    if not isinstance(overlays, dict) or not all(isinstance(item, dict) for item in overlays.values()):
        raise SettingsError(
            msg("{file}: `environments` holds one table per environment", file=name),
            hint=msg("write `[environments.production]`"),
        )
    for known, overlay in overlays.items():
        foreign = [key for key in overlay if key not in OVERLAYABLE]
        if foreign:
            raise SettingsError(
                msg("{file}: `environments.{known}` cannot change `{key}`", file=name, known=known, key=foreign[0]),
                hint=msg("an environment changes {names}", names=", ".join(f"`{key}`" for key in OVERLAYABLE)),
            )
    if wanted not in overlays and wanted != DEFAULT_ENVIRONMENT:
        raise SettingsError(
            msg("{file} has no environment `{name}`", file=name, name=wanted),
            hint=msg("known: {names}", names=", ".join(sorted({DEFAULT_ENVIRONMENT, *overlays}))),
        )
    return {DEFAULT_ENVIRONMENT: base} | {known: _merged(base, overlay) for known, overlay in overlays.items()}


def _merged(below: dict[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(below)
    for key, value in above.items():
        existing = result.get(key)
        result[key] = _merged(existing, value) if isinstance(existing, dict) and isinstance(value, dict) else value
    return result


def _tidy(settings: SettingsFile) -> SettingsFile:
    return replace(settings, operators=tuple(posixpath.normpath(folder) for folder in settings.operators))


def _named_files(settings: SettingsFile, files: Files) -> tuple[dict[str, str], list[Fault]]:
    named = [(f"servers.{index}.ca", entry.ca) for index, entry in enumerate(settings.servers or ()) if entry.ca]
    named += [
        (f"servers.{index}.authority_ca", entry.authority_ca)
        for index, entry in enumerate(settings.servers or ())
        if entry.authority_ca
    ]
    named += [("store.ca", settings.store.ca)] if settings.store.ca else []
    named += [(f"gate.keys.{index}.file", key.file) for index, key in enumerate(settings.gate.keys)]
    named += [(f"schema.extra.{index}", path) for index, path in enumerate(settings.schema.extra)]
    texts: dict[str, str] = {}
    faults = []
    for place, path in named:
        if leads_out(path):
            faults.append(outside(place, path))
            continue
        content = files.read(path)
        if content is None:
            message = msg("there is no file `{path}`", path=path)
            faults.append(Fault(place, message, msg("add it, or correct the name")))
            continue
        if place.startswith("schema."):
            try:
                texts[path] = content.decode("utf-8")
            except UnicodeDecodeError:
                faults.append(Fault(place, msg("`{path}` is not UTF-8", path=path), msg("save it as UTF-8")))
            continue
        try:
            texts[path] = content.decode("ascii")
            if place.endswith("ca"):
                canonical_pem(texts[path])
        except ValueError:
            faults.append(Fault(place, msg("`{path}` is not a PEM file", path=path), msg("export it as PEM")))
    return texts, faults


def canonical_pem(text: str) -> str:
    """Return the certificates of a PEM file in one spelling, comments left out.

    Raises:
        ValueError: there is none, or one is damaged.
    """
    import base64
    import textwrap

    certificates = []
    for part in text.split(_PEM_BEGIN)[1:]:
        body, found, _ = part.partition(_PEM_END)
        octets = base64.b64decode("".join(body.split()), validate=True)
        if not found or not octets:
            raise ValueError("a certificate does not end, or is empty")
        lines = textwrap.wrap(base64.b64encode(octets).decode("ascii"), _PEM_WIDTH)
        certificates.append("\n".join([_PEM_BEGIN, *lines, _PEM_END, ""]))
    if not certificates:
        raise ValueError("no certificate")
    return "".join(certificates)


def trusted_key_files(settings: Settings) -> list[tuple[GateKey, str]]:
    """Return each public key's entry with its PEM text."""
    return [(key, settings.texts[key.file]) for key in settings.file.gate.keys]
