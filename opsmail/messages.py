"""Text for people, kept as a template and its arguments until an output renders it in its own language."""

from __future__ import annotations

from gettext import NullTranslations

from opsmail.values import dataclass

#: What a message may carry. A nested message is rendered in the same language as the one around it.
Argument = object


@dataclass(frozen=True, slots=True)
class Message:
    """One sentence for people, not yet rendered.

    Args:
        template: English text with `{name}` places, a literal in the code so that gettext can extract it.
        arguments: (name, value) pairs for those places.
        plural: the template for a count other than one; None where the text does not count.
        count: the number that decides between `template` and `plural`.
    """

    template: str
    arguments: tuple[tuple[str, Argument], ...] = ()
    plural: str | None = None
    count: int = 1

    def render(self, language: NullTranslations | None = None) -> str:
        """Return the text in `language` (English without one)."""
        catalogue = language or _ENGLISH
        if self.plural is None:  # the empty text is the catalogue's own header
            template = catalogue.gettext(self.template) if self.template else ""
        else:
            template = catalogue.ngettext(self.template, self.plural, self.count)
        if not self.arguments:
            return template
        values = {
            name: value.render(catalogue) if isinstance(value, Message) else value for name, value in self.arguments
        }
        return template.format_map(values)

    def __str__(self) -> str:
        return self.render()


_ENGLISH = NullTranslations()


def msg(template: str, /, **arguments: Argument) -> Message:
    """Return the message of `template`; braces that are meant literally are doubled only when it has arguments."""
    return Message(template, tuple(arguments.items()))


def quoted(text: str | None) -> Message:
    """Return the message of a text that is not written here, such as the system's reason; translated where it is known.

    Args:
        text: as it is shown; None where nothing is said.
    """
    return Message(text or "?")


def msgn(singular: str, plural: str, count: int, /, **arguments: Argument) -> Message:
    """Return a message that counts; `{count}` is available in both templates."""
    return Message(singular, (("count", count), *arguments.items()), plural, count)
