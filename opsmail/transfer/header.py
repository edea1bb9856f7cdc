"""The columns of a table: what each is taken for, before any of its cells is looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from opsmail.errors import UsageError
from opsmail.expressions import expression
from opsmail.messages import Message, msg
from opsmail.operator.model import LabelName
from opsmail.shape import Decoder, nearest, shown
from opsmail.transfer.columns import LABELS, Columns, plain
from opsmail.values import dataclass

#: One of these makes a first row one of names: every table of operators has such a column.
_TELLING = frozenset(("server.host", "sender.address", "authentication.username"))
#: What may be repeated of a row that should be one of names: words. A password that stands there seldom is one.
_WORDS = expression(r"[^\W\d_]+(?:[ _./()-]{1,3}[^\W\d_]+)*[)]?")
_LONGEST = 40


class MappingError(UsageError):
    """`--map` or `--default` says what cannot be."""


@dataclass(frozen=True, slots=True)
class Header:
    """The columns of a table.

    Args:
        fields: field of the operator file to the position of its column, from 0, in the order of the columns.
        names: field to the column's name.
        secret: the names of columns that may hold secrets.
        unknown: those that nobody knows.
    """

    fields: Mapping[str, int]
    names: Mapping[str, str]
    secret: tuple[Message, ...]
    unknown: tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of columns, and what a person says of some of them.

    Args:
        columns: what is known.
        said: a column's name to its field; None for one that is not read.
    """

    columns: Columns
    said: Mapping[str, str | None]

    @classmethod
    def parse(cls, columns: Columns, texts: Sequence[str]) -> Expected:
        """Return it with what `COLUMN=FIELD` says.

        Raises:
            MappingError: there is no such field, or the column is one of secrets.
        """
        said: dict[str, str | None] = {}
        for text in texts:
            column, equals, path = (part.strip() for part in text.rpartition("="))
            if not equals or not column:
                raise MappingError(
                    msg("`--map` takes COLUMN=FIELD"), hint=msg("for example `--map Remetente=sender.address`")
                )
            if path:
                require_field(columns, path)
            if path and columns.is_secret(column):
                raise MappingError(
                    msg("the column `{column}` may hold secrets, which are never read", column=shown(column)),
                    hint=msg("opsmail writes a reference in their place, see `--secrets`"),
                )
            said[column] = path or None
        return cls(columns, said)

    def header(self, names: Sequence[str]) -> Header:
        """Return what the columns of these names are.

        Raises:
            UsageError: they are no names, two are for one field, or one that was named is not there.
        """
        said = self._said_of(names)
        explicit = {path for path in said.values() if path is not None}
        paths: list[str | None] = []
        for position, name in enumerate(names):
            known = self.columns.path_of(name)
            paths.append(said.get(position, None if known in explicit else known))
        found = {path: position for position, path in enumerate(paths) if path is not None}
        if not _TELLING & found.keys():
            raise UsageError(
                msg("no column is known as that of a server, a sender or a user"),
                hint=msg(
                    "the first row has to name the columns, such as Servidor, Porta and Remetente; "
                    "`--map COLUMN=FIELD` says what others are"
                ),
            )
        self._require_single(names, paths)
        secret = [index for index, name in enumerate(names) if paths[index] is None and self.columns.is_secret(name)]
        strange = [
            index
            for index, name in enumerate(names)
            if paths[index] is None and index not in secret and index not in said and self._is_strange(name)
        ]
        return Header(
            found,
            {path: names[position] for path, position in found.items()},
            tuple(_shown(names[index], index) for index in secret),
            tuple(_shown(names[index], index) for index in strange),
        )

    def known(self, names: Sequence[str]) -> int:
        """Return how many of these are names of columns."""
        return sum(self.columns.path_of(name) is not None or self.columns.is_secret(name) for name in names) + sum(
            name in names for name in self.said
        )

    def _said_of(self, names: Sequence[str]) -> dict[int, str | None]:
        """Return what was said, by the positions of the columns."""
        said: dict[int, str | None] = {}
        for column, path in self.said.items():
            same = [index for index, name in enumerate(names) if name.strip() == column]
            same = same or [index for index, name in enumerate(names) if plain(name) == plain(column)]
            if not same:
                guess = nearest(column, [name for name in names if self._may_show(name)])
                raise MappingError(
                    msg("there is no column `{column}`", column=shown(column)),
                    hint=msg("did you mean `{guess}`?", guess=guess)
                    if guess is not None
                    else msg("name a column as the first row has it"),
                )
            said |= dict.fromkeys(same, path)
        return said

    def _require_single(self, names: Sequence[str], paths: Sequence[str | None]) -> None:
        several = [path for path, count in Counter(paths).items() if count > 1 and path is not None]
        for path in several:
            columns = [_shown(name, index) for index, name in enumerate(names) if paths[index] == path]
            raise UsageError(
                msg(
                    "the columns {first} and {second} are both `{path}`", first=columns[0], second=columns[1], path=path
                ),
                hint=msg("say which one: `--map COLUMN={path}`", path=path),
            )

    def _is_strange(self, name: str) -> bool:
        """Whether somebody should know that a column is not read; not of one that gave way to what was said."""
        return bool(name.strip()) and self.columns.path_of(name) is None

    def _may_show(self, name: str) -> bool:
        return self.columns.path_of(name) is not None or _is_words(name)


def require_field(columns: Columns, path: str) -> None:
    """Return when this is a field that a table can fill.

    Raises:
        MappingError: it is none, or one for a reference to a secret.
    """
    if path.startswith(LABELS):
        if Decoder(_Label).decode({"name": path.removeprefix(LABELS)})[0] is None:
            raise MappingError(
                msg("`{path}` is no label", path=shown(path)),
                hint=msg("a label's name has letters, digits, `_` and `-`, for example `labels.team`"),
            )
        return
    if path in columns.by_path:
        return
    if path.startswith("authentication.") and columns.is_secret(path):
        raise MappingError(
            msg("`{path}` is a reference to a secret, which no table gives", path=path),
            hint=msg("opsmail writes it, see `--secrets`"),
        )
    guess = nearest(path, list(columns.by_path))
    raise MappingError(
        msg("there is no field `{path}`", path=shown(path)),
        hint=msg("did you mean `{guess}`?", guess=guess)
        if guess is not None
        else msg("known: {names}", names=", ".join(columns.by_path)),
    )


@dataclass(frozen=True, slots=True)
class _Label:
    name: LabelName


def _shown(name: str, index: int) -> Message:
    """Return how a column is called in a text."""
    if _is_words(name):
        return msg("`{name}`", name=name.strip())
    return msg("number {number} (its name is not shown, since it may be a secret)", number=index + 1)


def _is_words(name: str) -> bool:
    return len(name) <= _LONGEST and _WORDS.fullmatch(name.strip()) is not None
