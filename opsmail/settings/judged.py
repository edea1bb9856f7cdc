"""What each field of the settings allows by itself and the whole does not."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator

from opsmail.messages import msg
from opsmail.operator.digest import canonical_host
from opsmail.settings.catalogue import pattern_fault
from opsmail.settings.faults import Fault, reference_faults
from opsmail.settings.model import ServerEntry, SettingsFile, StoreSettings
from opsmail.settings.organisation import leads_out, rule_faults, schema_faults, selector_faults
from opsmail.settings.probe import probe_faults


def judged(settings: SettingsFile) -> Iterator[Fault]:
    """Yield what is wrong with settings whose fields are right, one by one."""
    if not settings.operators:
        yield Fault("operators", msg("`operators` names no folder"), msg('write `operators = "operators"`'))
    for folder in settings.operators:
        if leads_out(folder) or posixpath.normpath(folder) == ".":
            yield Fault(
                "operators",
                msg("`{folder}` is not a folder below the one of the settings", folder=folder),
                msg('write `operators = "operators"`'),
            )
    seen: set[str] = set()
    for index, entry in enumerate(settings.servers or ()):
        host = canonical_host(entry.host)
        if host in seen:
            yield Fault(
                f"servers.{index}.host",
                msg("the server `{host}` stands twice", host=host),
                msg("put all that is approved for it into one entry"),
            )
        seen.add(host)
        for pattern in entry.secrets:
            wrong = pattern_fault(pattern)
            if wrong is not None:
                yield Fault(f"servers.{index}.secrets", wrong, msg("for example `env://OPSMAIL_SECRET_{OPERATOR}`"))
        yield from _authority(index, entry)
    yield from _organisation(settings)
    if settings.live.proxy is not None and int(settings.live.proxy.rpartition(":")[2]) > 65535:
        yield Fault("live.proxy", msg("`live.proxy` has a port that there is none of"), msg("1 to 65535"))
    yield from probe_faults(settings.live.probe)
    yield from reference_faults(
        "gate.signing_key",
        settings.gate.signing_key,
        msg("write where the key is kept, for example `env://OPSMAIL_SIGNING_KEY`"),
    )
    yield from _store(settings.store)


def _store(store: StoreSettings) -> Iterator[Fault]:
    yield from reference_faults(
        "store.password",
        store.password,
        msg("write where the password is kept, for example `env://OPSMAIL_STORE_PASSWORD`"),
    )
    yield from reference_faults(
        "store.reader_password",
        store.reader_password,
        msg("write where the password is kept, for example `env://OPSMAIL_READER_PASSWORD`"),
    )
    if store.reader_password is not None and store.reader is None:
        yield Fault(
            "store.reader_password",
            msg("`store.reader_password` is for a `store.reader`, who is not named"),
            msg("name the reader, or leave the password out"),
        )
    if store.reader is not None and store.url.startswith("sqlite:"):
        yield Fault(
            "store.reader",
            msg("nobody logs in to a SQLite store"),
            msg("leave `reader` out; the rights of the file tell who may read"),
        )


def _organisation(settings: SettingsFile) -> Iterator[Fault]:
    policy = settings.policy
    for field_name, selectors in (
        ("ignore", policy.ignore),
        ("unwaivable", policy.unwaivable),
        ("severity", tuple(policy.severity)),
    ):
        yield from selector_faults(f"policy.{field_name}", selectors, policy.plugins)
    yield from rule_faults(settings.rules)
    yield from schema_faults(settings.schema)


def _authority(index: int, entry: ServerEntry) -> Iterator[Fault]:
    if entry.authority is not None and int(entry.authority[8:].partition(":")[2] or 443) > 65535:
        yield Fault(
            f"servers.{index}.authority", msg("`authority` has a port that there is none of"), msg("1 to 65535")
        )
    if entry.authority_ca is not None and entry.authority is None:
        yield Fault(
            f"servers.{index}.authority_ca",
            msg("`authority_ca` is for an `authority`, which is not named"),
            msg("name the authority, or leave its CA out: the cloud's own is trusted by the system's roots"),
        )
    yield from reference_faults(
        f"servers.{index}.federated_token",
        entry.federated_token,
        msg("write where the token is kept, for example `file:///var/run/secrets/tokens/opsmail`"),
    )
