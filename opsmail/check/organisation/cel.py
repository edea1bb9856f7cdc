"""CEL (Common Expression Language, cel.dev) as opsmail uses it: typed, bounded, and never silently wrong."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cel_expr_python import cel

from opsmail.check.organisation.messages import MessageTypes
from opsmail.messages import Message, msg
from opsmail.operator.model import Operator
from opsmail.settings.model import SettingsFile
from opsmail.shape import nearest

#: Loops inside loops; with one more, a text of 1,000 characters could ask for more memory than there is.
_DEEPEST_LOOP = 2
_TOKEN = re.compile(
    r"""
      //[^\n]*
    | [bB]?[rR][bB]?(?:'''.*?'''|\"{3}.*?\"{3}|'[^'\n]*'|"[^"\n]*")
    | [bB]?(?:'''(?:\\.|.)*?'''|\"{3}(?:\\.|.)*?\"{3}|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")
    | (?P<word>\w+)\s*\(
    | (?P<bracket>[()])
    | \w+
    | .
    """,
    re.DOTALL | re.VERBOSE,
)
_LOOPS = frozenset(("all", "exists", "exists_one", "existsOne", "map", "filter"))
_PLACE = re.compile(r"<input>:(?:(\d+):(\d+)|\S+): (.*)")
_UNDEFINED_FIELD = re.compile(r"undefined field '(\w+)' not found in struct '([\w.]+)'")
_UNDECLARED = re.compile(r"undeclared reference to '([\w.]+)'")
_WRONG_OVERLOAD = re.compile(r"No matching overloads found : ([\w.()<>, ]{1,200})")
_STATUS = re.compile(r"[A-Z_]{3,40}(?=:)")


class ExpressionError(ValueError):
    """An expression that cannot be used.

    Args:
        reason: why, with its place in it.
        remedy: what to do.
    """

    def __init__(self, reason: Message, remedy: Message) -> None:
        super().__init__(str(reason))
        self.reason = reason
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition, ready to be asked.

    Args:
        program: compiled.
        sees: those of `fleet` and `base` that it mentions.
    """

    program: Any
    sees: frozenset[str]


class Language:
    """The variables that conditions know, with their types.

    Args:
        expressions: all that will be compiled.
        settings: what `settings` is in them.
    """

    def __init__(self, expressions: Sequence[str], settings: SettingsFile) -> None:
        self._messages = MessageTypes(expressions)
        self._settings = self._messages.settings(settings)
        operator = cel.Type("opsmail.Operator")
        variables = {
            "operator": operator,
            "fleet": cel.Type.List(operator),
            "base": operator,
            "settings": cel.Type("opsmail.Settings"),
        }
        self._typed = self._environment(variables)
        self._without = {
            name: self._environment({other: kind for other, kind in variables.items() if other != name})
            for name in ("fleet", "base")
        }
        # The type of a message has no null: checked with it, the condition runs where `base` may be anything.
        self._running = self._environment({**variables, "base": cel.Type.DYN})

    def _environment(self, variables: Mapping[str, Any]) -> Any:
        return cel.NewEnv(descriptor_pool=self._messages.pool, variables=variables)

    def compile(self, text: str) -> Expression:
        """Return a condition.

        Raises:
            ExpressionError: it is wrong: syntax, a path that does not exist, types, or not a yes or no.
        """
        if _loops(text) > _DEEPEST_LOOP:
            reason = msg("loops are nested deeper than {most}", most=_DEEPEST_LOOP)
            raise ExpressionError(reason, msg("split it into several rules"))
        try:
            kind = self._typed.compile(text).return_type().name()
        except RuntimeError as error:
            raise self._explained(text, str(error)) from None
        if kind != "BOOL":
            raise ExpressionError(msg("it is not a yes or no, but {kind}", kind=kind), msg("compare it with something"))
        sees = frozenset(name for name, others in self._without.items() if not _compiles(text, others))
        return Expression(self._running.compile(text), sees)

    def message(self, operator: Operator) -> Any:
        """Return an operator as conditions see it."""
        return self._messages.operator(operator)

    def facts(self, operator: Any, fleet: Sequence[Any], base: Any | None) -> Any:
        """Return what a condition is asked about: messages, and None for no base."""
        data = {"operator": operator, "fleet": fleet, "base": base, "settings": self._settings}
        return self._running.Activation(data)

    def _explained(self, text: str, error: str) -> ExpressionError:
        place = _PLACE.search(error)
        reason = error if place is None else place[3]
        at = msg("the condition")
        if place is not None and place[1] is not None:
            at = msg("line {line}, column {column}", line=place[1], column=place[2])
        field, undeclared = _UNDEFINED_FIELD.match(reason), _UNDECLARED.match(reason)
        if field is not None:
            section, name = msg("`{path}`", path=field[2].partition(".")[2].lower()), field[1]
            known = self._messages.fields(field[2])
            return ExpressionError(
                msg("{at}: {section} has no `{name}`", at=at, section=section, name=name), _guess(name, known)
            )
        if undeclared is not None:
            name = undeclared[1].partition(".")[0]
            before = text[: text.find(name)]  # CEL's place is behind the whole path
            line, column = before.count("\n") + 1, len(before.rpartition("\n")[2]) + 1
            at = msg("line {line}, column {column}", line=line, column=column)
            return ExpressionError(msg("{at}: there is no `{name}`", at=at, name=name), _guess(name, _VARIABLES))
        return ExpressionError(msg("{at}: {reason}", at=at, reason=reason[:200]), _SEE)


def _compiles(text: str, environment: Any) -> bool:
    try:
        environment.compile(text)
    except RuntimeError:
        return False
    return True


_VARIABLES = ("operator", "fleet", "base", "settings")


def _guess(name: str, known: Sequence[str]) -> Message:
    guess = nearest(name, known)
    if guess is not None:
        return msg("did you mean `{guess}`?", guess=guess)
    return msg("there are {names}", names=", ".join(f"`{item}`" for item in known))


_SEE = msg("conditions are written in CEL, see cel.dev; for example `operator.server.port == 587`")


def holds(expression: Expression, facts: Any) -> bool | Message:
    """Return whether a condition is true; or, where it is neither true nor false, why, without repeating a value."""
    try:
        answer = expression.program.eval(facts)
    except (RuntimeError, MemoryError) as error:
        return _reason(str(error))
    kind = answer.type().name()
    return answer.value() is True if kind == "BOOL" else _reason(str(answer.value()))


def _reason(text: str) -> Message:
    if "Iteration budget exceeded" in text:
        return msg("it takes more steps than one condition may")
    overload = _WRONG_OVERLOAD.search(text)
    if overload is not None:
        return msg("there is no {call}", call=overload[1].strip().replace("null_type", "null"))
    status = _STATUS.search(text)
    return msg("it is an error ({status})", status=status[0] if status else "UNKNOWN")


def _loops(text: str) -> int:
    """Return how deep loops are nested; what stands in quotes and comments does not count."""
    deepest = 0
    stack: list[bool] = []
    for match in _TOKEN.finditer(text):
        if match["word"] is not None or match["bracket"] == "(":
            stack.append(match["word"] in _LOOPS)
            deepest = max(deepest, sum(stack))
        elif match["bracket"] == ")" and stack:
            stack.pop()
    return deepest
