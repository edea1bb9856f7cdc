"""Operators, settings, keys and stores in a few words, for tests of what happens after the check."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opsmail.cli.proofs import sign_generation
from opsmail.evidence.envelope import verify
from opsmail.evidence.keys import SigningKey, TrustedKey
from opsmail.evidence.statement import Kind
from opsmail.operator.digest import Connection, EffectiveOperator
from opsmail.operator.model import Operator
from opsmail.publish.plan import Origin, Plan, documents_needed, make_plan
from opsmail.publish.publisher import Circumstances, Proofs, Sign, publish
from opsmail.settings.load import Settings, load_settings
from opsmail.shape import Decoder
from opsmail.store.backends import open_store
from opsmail.store.generation import Generation, Published, read_published
from opsmail.store.interface import Head, Identity, Store

ENVIRONMENT = "production"
HOST = "mail.empresa.test"
COMMIT = "c0" * 20
ORIGIN = Origin(repository="github.com/empresa/mail", commit=COMMIT, settings_digest="sha256:" + "5e" * 32)
NO_PROOFS = Proofs((), {})
_OPERATOR = Decoder(Operator)
CIRCUMSTANCES = Circumstances(actor="ana", time="2026-03-10T12:00:00Z", ruleset="1", required=("test-send",))


def operator(name: str = "rh", /, **sections: Any) -> Operator:
    """A correct operator; a section that is given replaces values of its own, `authentication` the whole section."""
    data: dict[str, Any] = {
        "version": 1,
        "operator": name,
        "sender": {"address": f"{name}@empresa.test"},
        "server": {"host": HOST, "port": 587, "encryption": "starttls"},
        "authentication": {
            "type": "basic",
            "username": f"{name}@empresa.test",
            "password": f"env://OPSMAIL_SECRET_{name.upper()}",
        },
    }
    for key, value in sections.items():
        merge = isinstance(value, dict) and isinstance(data.get(key), dict) and key != "authentication"
        data[key] = data[key] | value if merge else value
    decoded, problems = _OPERATOR.decode(data)
    assert decoded is not None, problems
    assert not problems
    return decoded


def documents(operators: Iterable[Operator], connection: Connection | None = None) -> dict[str, bytes]:
    """The canonical documents of some operators, by id."""
    joined = connection or Connection()
    return {item.operator: EffectiveOperator(item, joined).canonical() for item in operators}


def settings(toml: str, files: Mapping[str, str] | None = None, environment: str = "default") -> Settings:
    """The settings of a text and the files that it names."""
    contents = {"opsmail.toml": textwrap.dedent(toml)} | dict(files or {})

    class Files:
        def read(self, path: str) -> bytes | None:
            return contents[path].encode() if path in contents else None

    return load_settings(Files(), environment)


@dataclass
class Shop:
    """A SQLite store with a key that signs what is published there; like a pipeline without its gate."""

    folder: Path
    environment: str = ENVIRONMENT
    key: SigningKey = field(default_factory=SigningKey.generate)

    @property
    def path(self) -> Path:
        return self.folder / "opsmail.db"

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path}"

    @property
    def public_key(self) -> Path:
        path = self.folder / "ci.pub.pem"
        path.write_text(self.key.public.pem(), "ascii")
        return path

    @property
    def trusted(self) -> TrustedKey:
        return TrustedKey(self.key.public, frozenset({Kind.GENERATION}), frozenset({self.environment}))

    @contextmanager
    def store(self) -> Iterator[Store]:
        with closing(open_store(self.url, create=True)) as store:
            yield store

    def sign(self, facts: Generation) -> bytes:
        return sign_generation(facts, self.key)

    def verify(self, envelope: bytes) -> Generation:
        return Generation.parse(
            verify(envelope, [self.trusted], kind=Kind.GENERATION, environment=self.environment).predicate
        )

    def published(self) -> Published:
        with self.store() as store:
            return read_published(store, self.environment, self.verify)

    def plan(self, wanted: Mapping[str, bytes], origin: Origin = ORIGIN) -> Plan:
        with self.store() as store:
            return planned(store, read_published(store, self.environment, self.verify), wanted, origin)

    def publish(self, *operators: Operator, connection: Connection | None = None, **more: Any) -> Generation:
        """Publish these operators, and nobody else."""
        return self.publish_documents(documents(operators, connection), **more)

    def publish_documents(
        self,
        wanted: Mapping[str, bytes],
        *,
        proofs: Proofs = NO_PROOFS,
        circumstances: Circumstances = CIRCUMSTANCES,
        sign: Sign | None = None,
    ) -> Generation:
        with self.store() as store:
            published = read_published(store, self.environment, self.verify)
            plan = planned(store, published, wanted)
            return self.publish_plan(
                store, published, plan, wanted, proofs=proofs, circumstances=circumstances, sign=sign
            )

    def publish_plan(
        self,
        store: Store,
        published: Published,
        plan: Plan,
        wanted: Mapping[str, bytes],
        *,
        proofs: Proofs = NO_PROOFS,
        circumstances: Circumstances = CIRCUMSTANCES,
        sign: Sign | None = None,
    ) -> Generation:
        """Publish what was planned, in a store that may be another one by now."""
        return publish(
            store, published, plan, wanted, proofs, circumstances, sign=sign or self.sign, verify=self.verify
        )


def planned(store: Store, published: Published, wanted: Mapping[str, bytes], origin: Origin = ORIGIN) -> Plan:
    """The plan from what is published to `wanted`."""
    return make_plan(published, store.read(documents_needed(published, wanted)), wanted, origin)


def plan_between(
    before: Iterable[Operator], after: Iterable[Operator], connections: tuple[Connection, Connection] | None = None
) -> Plan:
    """The plan from a fleet that is published (as generation 1, where there is anybody) to another, without a store."""
    old, new = connections or (Connection(), Connection())
    published = documents(before, old)
    manifest = {name: hashlib.sha256(content).hexdigest() for name, content in published.items()}
    digest = "9e" * 32 if published else None
    head = Head(Identity("5a" * 16, 1), ENVIRONMENT, number=1 if published else 0, digest=digest)
    contents = {manifest[name]: content for name, content in published.items()}
    return make_plan(Published(head, digest, None, manifest), contents, documents(after, new), ORIGIN)


class Changed:
    """A store that answers some questions otherwise."""

    def __init__(self, store: Store, **answers: Any) -> None:
        self._store = store
        self._answers = answers

    def __getattr__(self, name: str) -> Any:
        return self._answers.get(name, getattr(self._store, name))
