"""What is wrong with settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from opsmail.errors import UsageError
from opsmail.messages import Message, msg
from opsmail.references import SecretReference


class Fault(NamedTuple):
    """One thing that is wrong.

    Args:
        path: the field, dotted; elements of arrays by their index.
        message: what is wrong.
        hint: what to do.
        line: where, from 1.
    """

    path: str
    message: Message
    hint: Message | None = None
    line: int = 1


def reference_faults(path: str, text: str | None, hint: Message) -> Iterator[Fault]:
    """Yield the fault of a field that does not tell where a secret is kept; what it holds instead is not repeated.

    Args:
        path: the field, dotted.
        text: what stands there; None where nothing does.
        hint: what to write.
    """
    if text is not None and SecretReference.parse(text).is_literal:
        yield Fault(path, msg("`{path}` is not a secret reference", path=path), hint)


class SettingsError(UsageError):
    """The settings are wrong; every fault is told, each with its place."""

    @classmethod
    def of(cls, file: str, faults: Iterable[Fault]) -> SettingsError:
        """Return the error that tells of `faults`, at least one, in the order of their lines."""
        general = msg("`opsmail schema settings` tells what each field takes")
        ordered = sorted(faults, key=lambda fault: (fault.line, fault.path, str(fault.message)))
        first, *further = (
            cls(msg("{file}:{line}: {fault}", file=file, line=fault.line, fault=fault.message), hint=hint)
            for fault, hint in ((fault, fault.hint or general) for fault in ordered)
        )
        first.further = tuple(further)
        return first
