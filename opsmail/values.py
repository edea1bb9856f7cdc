"""Frozen dataclasses that are made in a fraction of the time.

Making one is most of what a short run does: `dataclasses` compiles six functions for each class (before Python 3.13),
of which only `__init__` needs to be its own. Here the others are shared. Everything else is `dataclasses`: fields,
`replace` and type checkers see no difference.
"""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass  # noqa: PLC0414 - so that others may import it from here
else:

    def dataclass(*, frozen: bool, slots: bool = False, kw_only: bool = False, eq: bool = True) -> Any:
        """Return the decorator for frozen values; others, `dataclasses` makes.

        Args:
            frozen: True.
            slots: whether instances have room for their fields only.
            kw_only: fields are given by name only.
            eq: equal fields make equal values.
        """
        if not frozen:
            raise TypeError("only frozen values are made here")
        return lambda cls: _made(cls, slots=slots, kw_only=kw_only, eq=eq)


def _made(cls: type, *, slots: bool, kw_only: bool, eq: bool) -> Any:
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=slots, kw_only=kw_only)(cls)
    fields = dataclasses.fields(made)
    made.__init__ = _init(made, fields)
    made.__setattr__, made.__delattr__ = _refuse_assignment, _refuse_deletion
    if eq:
        made.__eq__, made.__hash__ = _comparison([field.name for field in fields if field.compare])
    if "__repr__" not in made.__dict__:
        made.__repr__ = _repr
    return made


def _init(cls: Any, fields: tuple[dataclasses.Field[Any], ...]) -> Any:
    """Return the one function that has to be compiled: its parameters are the fields."""
    known: dict[str, Any] = {"_set": object.__setattr__, "_absent": dataclasses.MISSING}
    positional = ["self"]
    named: list[str] = []
    lines: list[str] = []
    for field in (field for field in fields if field.init):
        name, value = field.name, field.name
        default = ""
        if field.default is not dataclasses.MISSING:
            known[f"_default_{name}"] = field.default
            default = f"=_default_{name}"
        elif field.default_factory is not dataclasses.MISSING:
            known[f"_factory_{name}"] = field.default_factory
            default, value = "=_absent", f"_factory_{name}() if {name} is _absent else {name}"
        (named if field.kw_only else positional).append(name + default)
        lines.append(f" _set(self, {name!r}, {value})")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    parameters = ", ".join([*positional, *(["*", *named] if named else [])])
    exec("\n".join([f"def __init__({parameters}):", *(lines or [" pass"])]), known)  # noqa: S102 - names of fields
    init = known["__init__"]
    init.__qualname__ = f"{cls.__qualname__}.__init__"
    return init


def _comparison(names: list[str]) -> tuple[Any, Any]:
    # A getter of one name gives the value itself; of none there is no getter.
    values = attrgetter(*names, "__class__") if names else attrgetter("__class__")

    def __eq__(self: Any, other: object) -> Any:  # noqa: N807 - it becomes the class's
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:  # noqa: N807 - it becomes the class's
        return hash(values(self))

    return __eq__, __hash__


def _repr(self: Any) -> str:
    shown = (f"{field.name}={getattr(self, field.name)!r}" for field in dataclasses.fields(self) if field.repr)
    return f"{self.__class__.__qualname__}({', '.join(shown)})"


def _refuse_assignment(self: object, name: str, value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_deletion(self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")
