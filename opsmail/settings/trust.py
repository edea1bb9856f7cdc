"""What of the settings says who and what is trusted: kept with each generation, and compared at the next publish.

It is what the settings digest covers but for the waivers, each of which is bound to one operator and ends by itself:
how rules judge, the catalogue, the gate with its keys, and the files that they name. Secrets are references there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeGuard

from opsmail.canonical import canonical_json
from opsmail.settings.load import Settings, canonical_pem
from opsmail.settings.model import SettingsFile
from opsmail.shape import Decoder, encode

FORMAT = "opsmail/trust/v1"
#: The sections that say who and what is trusted; the digest of the settings covers the same.
SECTIONS = ("policy", "runtime", "servers", "rules", "schema", "gate")


def trust_part(settings: Settings) -> Settings:
    """Return settings that say of trust what `settings` say, and of everything else nothing."""
    rules = tuple(replace(rule, tests=()) for rule in settings.file.rules)
    trusting = {name: getattr(settings.file, name) for name in SECTIONS} | {"rules": rules}
    file = SettingsFile(**trusting)
    authorities = _authorities(file)
    # Of a CA's file the certificates count; people keep private keys beside them.
    texts = {
        path: canonical_pem(settings.texts[path]) if path in authorities else settings.texts[path]
        for path in sorted(_named(file))
    }
    return Settings(file, environment=settings.environment, texts=texts)


def record(settings: Settings) -> bytes:
    """Return the trust part of the settings as it is kept with a generation: RFC 8785 canonical JSON."""
    trusting = trust_part(settings)
    sections: dict[str, Any] = encode(trusting.file)
    document: dict[str, Any] = {
        "format": FORMAT,
        "settings": {name: sections[name] for name in SECTIONS if name in sections},
        "files": dict(trusting.texts),
    }
    return canonical_json(document)


def recorded(content: bytes, environment: str) -> Settings:
    """Return the trust part that `record` wrote.

    Args:
        content: the record.
        environment: for which it was made.

    Raises:
        ValueError: it is no such record, or has a field that is unknown here.
    """
    document = json.loads(content)
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f"not a record of the format {FORMAT}")
    file, problems = Decoder(SettingsFile).decode(document.get("settings"))
    texts = document.get("files")
    if file is None or problems:
        raise ValueError("; ".join(str(problem.message) for problem in problems))
    if not _are_texts(texts) or not _named(file) <= texts.keys():
        raise ValueError("the record lacks a file that it names")
    return Settings(file, environment=environment, texts=texts)


def _are_texts(texts: object) -> TypeGuard[Mapping[str, str]]:
    return isinstance(texts, Mapping) and all(isinstance(text, str) for text in texts.values())


def _named(file: SettingsFile) -> set[str]:
    """Return the paths of the files that settings name."""
    return _authorities(file) | {key.file for key in file.gate.keys} | set(file.schema.extra)


def _authorities(file: SettingsFile) -> set[str]:
    """Return the paths of the files with certificates."""
    entries = ((entry.ca, entry.authority_ca) for entry in file.servers or ())
    return {path for entry in entries for path in entry if path is not None}
