"""What can be wrong with the shape of a file, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum
from functools import lru_cache
from types import MappingProxyType, NoneType

from opsmail.expressions import expression
from opsmail.messages import Message, msg, msgn
from opsmail.values import dataclass

_SHOWN = 60
#: No name of a field is longer; comparing longer ones takes its time.
_LONGEST_NAME = 64
#: More unknown fields of one section are told as one: nobody reads thousands, and each is compared with those known.
_MOST_STRANGE = 20
#: No secret is so short.
_TOO_SHORT = 3
_WORD = expression(r"[A-Za-z][A-Za-z_-]{0,39}")
_TYPES: Mapping[type, Message] = MappingProxyType(
    {
        NoneType: msg("empty"),
        bool: msg("a truth value"),
        int: msg("a number"),
        float: msg("a number"),
        str: msg("text"),
        dict: msg("a section with fields"),
        list: msg("a list"),
    }
)


class ProblemKind(Enum):
    """What is wrong with a field."""

    UNKNOWN_FIELD = "unknown field"
    MISSING_FIELD = "missing field"
    WRONG_TYPE = "wrong type"
    INVALID_VALUE = "invalid value"


@dataclass(frozen=True, slots=True)
class Problem:
    """One place where data does not have the shape it should have.

    Args:
        kind: what is wrong.
        path: dotted path of the field, also of a missing one.
        message: what is wrong, in words; never repeats a value that could be secret.
        help: what to do.
        nearest: the known name or value that was probably meant.
        expected: the type that was wanted, for `WRONG_TYPE`.
    """

    kind: ProblemKind
    path: str
    message: Message
    help: Message | None = None
    nearest: str | None = None
    expected: type | None = None


def nearest(name: str, known: Sequence[str]) -> str | None:
    """Return the known name that `name` was probably meant to be."""
    return _nearest(name.lower(), tuple(known)) if len(name) <= _LONGEST_NAME else None


@lru_cache(maxsize=8192)  # asked several times for each unknown field, of which a hostile file has thousands
def _nearest(name: str, known: tuple[str, ...]) -> str | None:
    from difflib import get_close_matches

    matches = get_close_matches(name, known, n=1, cutoff=0.6)
    return matches[0] if matches else None


def shown_name(name: str, known: Sequence[str] = ()) -> str | None:
    """Return the name of a field if it may be repeated, None when it may be a secret left of the colon by mistake.

    Args:
        name: as it stands in the file.
        known: the names that are known there; what is like one of them was meant to be a name.
    """
    return name if name in known or _WORD.fullmatch(name) or nearest(name, known) is not None else None


def may_show(value: str, allowed: Sequence[str]) -> bool:
    """Whether a value that is none of those allowed may be repeated: where it cannot be a secret typed into this field.

    Args:
        value: as it stands in the file.
        allowed: what may stand there. What is like one of them in the same kind of characters is that, misspelt.
    """
    if len(value) <= _TOO_SHORT:
        return True
    meant = nearest(value, allowed)
    return meant is not None and all(char in meant or char in " _-" or char.isalpha() for char in value.lower())


def join(path: str, name: str) -> str:
    """Return the path of the field `name` of the section at `path`."""
    return f"{path}.{name}" if path else name


def strange(names: Sequence[str], path: str, known: Sequence[str]) -> list[Problem]:
    """Return the problems of fields that the section at `path` does not have; of very many, the rest is one problem."""
    found = [_unknown(name, path, known) for name in names[:_MOST_STRANGE]]
    if len(names) > _MOST_STRANGE:
        rest = len(names) - _MOST_STRANGE
        message = msgn("{count} more unknown field", "{count} more unknown fields, the first of them here", rest)
        remedy = msg("known here: {names}", names=", ".join(f"`{item}`" for item in known))
        found.append(Problem(ProblemKind.UNKNOWN_FIELD, join(path, names[_MOST_STRANGE]), message, remedy))
    return found


def _unknown(name: str, path: str, known: Sequence[str]) -> Problem:
    guess = nearest(name, known)
    if guess is not None:
        remedy = msg("did you mean `{name}`?", name=guess)
    else:
        remedy = msg("known here: {names}", names=", ".join(f"`{item}`" for item in known))
    if shown_name(name, known) is None:
        message = msg("unknown field; its name is not shown, since it may be a secret")
    else:
        message = msg("unknown field `{name}`", name=name)
    return Problem(ProblemKind.UNKNOWN_FIELD, join(path, name), message, remedy, guess)


def missing(name: str, path: str) -> Problem:
    """Return the problem of a field that the section at `path` lacks."""
    if path:
        message = msg("`{section}` lacks the field `{name}`", section=path, name=name)
    else:
        message = msg("the field `{name}` is missing", name=name)
    return Problem(ProblemKind.MISSING_FIELD, join(path, name), message, msg("add `{name}: …`", name=name), name)


def foreign(name: str, path: str, tag: str, value: str, owners: Sequence[str]) -> Problem:
    """Return the problem of a field that belongs to other kinds of the section at `path`.

    Args:
        name: the field.
        path: the section.
        tag: the field that tells the kinds apart.
        value: the kind that the section is.
        owners: the kinds that have the field.
    """
    return Problem(
        ProblemKind.UNKNOWN_FIELD,
        join(path, name),
        msg("`{name}` does not belong to {tag} `{value}`", name=name, tag=tag, value=value),
        msg("it belongs to {values}; delete it here", values=", ".join(f"`{item}`" for item in owners)),
    )


def wrong_type(path: str, wanted: Message, value: object, expected: type) -> Problem:
    """Return the problem of a value of another type than the one that is wanted."""
    found = _TYPES.get(type(value), msg("a date or time"))
    message = msg("`{path}` should be {wanted}, but is {found}", path=path or "…", wanted=wanted, found=found)
    return Problem(ProblemKind.WRONG_TYPE, path, message, expected=expected)


def not_among(value: object, path: str, allowed: Sequence[str | int]) -> Problem:
    """Return the problem of a value that is none of those allowed."""
    wanted: type = type(allowed[0])
    if type(value) is not wanted:
        return wrong_type(path, msg("text") if wanted is str else msg("a whole number"), value, wanted)
    known = [str(item) for item in allowed]
    options = ", ".join(f"`{item}`" for item in known)
    # A number that is near another one is not that one misspelt.
    guess = nearest(value, [item for item in known if item[0].isalpha()]) if isinstance(value, str) else None
    remedy = msg("allowed: {options}", options=options)
    if guess is not None:
        remedy = msg("did you mean `{guess}`? allowed: {options}", guess=guess, options=options)
    text = str(value)
    message = (
        msg("`{path}` cannot be `{value}`", path=path, value=shown(text))
        if may_show(text, known)
        else msg("`{path}` cannot have this value; it is not shown, since it may be a secret", path=path)
    )
    return invalid(path, message, remedy, guess)


def invalid(path: str, message: Message, remedy: Message | None = None, guess: str | None = None) -> Problem:
    """Return the problem of a value of the right type that cannot be."""
    return Problem(ProblemKind.INVALID_VALUE, path, message, remedy, guess)


def shown(value: object) -> str:
    """Return a value as a message repeats it: not more than a line can hold."""
    text = str(value)
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
