"""Which language the texts for people are in, and how click's own words get into it.

The order is `--lang`, then `OPSMAIL_LANG`, then the locale. What programs read stays English.
"""

from __future__ import annotations

import gettext
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from gettext import NullTranslations
from pathlib import Path
from typing import Any

import click

from opsmail.messages import msg

_DOMAIN = "opsmail"
_LOCALES = Path(__file__).resolve().parent.parent / "locale"
_OPTION = "--lang"
#: The first part of a language's name to its catalogue: Portuguese of elsewhere is nearer to Brazil's than English is.
_CATALOGUES = {"pt": "pt_BR"}


def catalogue_of(name: str) -> str | None:
    """Return the catalogue of a language as people and locales name it, None for English and unknown ones.

    Args:
        name: such as `pt-BR`, `pt_BR.UTF-8` or `pt`.
    """
    return _CATALOGUES.get(_first_part(name))


def _first_part(name: str) -> str:
    return name.replace("_", "-").partition("-")[0].partition(".")[0].lower()


def language(asked: str | None = None) -> NullTranslations:
    """Return the language to speak.

    Args:
        asked: what the user asked for with `--lang`.
    """
    name = asked or _of_environment(os.environ)
    catalogue = None if name is None else catalogue_of(name)
    if catalogue is None:
        return NullTranslations()
    return gettext.translation(_DOMAIN, localedir=_LOCALES, languages=[catalogue], fallback=True)


def handed_on(value: object) -> NullTranslations:
    """Return the language that is the object of a context: `face` puts it there. Without it, that of the machine."""
    return value if isinstance(value, NullTranslations) else language()


def of_context(ctx: click.Context | None) -> NullTranslations:
    """Return the language of a command's run."""
    return handed_on(None if ctx is None else ctx.obj)


def asked(arguments: Sequence[str]) -> str | None:
    """Return the language that a command line asks for, before click has read it: its own errors need it.

    Args:
        arguments: without the program's name.
    """
    found, words = None, iter(arguments)
    for word in words:
        name, equals, value = word.partition("=")
        if word == "--":
            break
        if name == _OPTION:
            found = value if equals else next(words, None)
    return found or None


def _of_environment(environment: Mapping[str, str]) -> str | None:
    """Return the language by OPSMAIL_LANG, else by the locale, as POSIX and GNU gettext read it."""
    own = environment.get("OPSMAIL_LANG")
    if own:
        return own
    locale = next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := environment.get(name))), "C")
    if locale.partition(".")[0] in ("C", "POSIX"):
        return None
    preferred = environment.get("LANGUAGE", "").split(":")[0]
    return preferred or locale


@contextmanager
def spoken(catalogue: NullTranslations) -> Iterator[None]:
    """Let click find its words in a catalogue meanwhile: it asks gettext's global functions, which ask the environment.

    Args:
        catalogue: what `language` returned. English changes nothing.
    """
    name = catalogue.info().get("language")
    if name is None:
        yield
        return
    domain, before = gettext.textdomain(), os.environ.get("LANGUAGE")
    gettext.bindtextdomain(_DOMAIN, str(_LOCALES))
    gettext.textdomain(_DOMAIN)
    os.environ["LANGUAGE"] = name
    try:
        yield
    finally:
        gettext.textdomain(domain)
        if before is None:
            del os.environ["LANGUAGE"]
        else:
            os.environ["LANGUAGE"] = before


class _LanguageType(click.ParamType):  # type: ignore[type-arg]  # not generic before click 8.4
    name = "LANGUAGE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not (catalogue_of(value) or _first_part(value) == "en"):
            message = msg("{value!r} is not a language that opsmail speaks; write en or pt-BR", value=value)
            self.fail(message.render(of_context(ctx)), param, ctx)
        return str(value)


#: `--lang`. Its value has been looked at before, see `asked`; here it is only judged.
language_option = click.option(
    _OPTION,
    type=_LanguageType(),
    expose_value=False,
    help="Language of texts for people, en or pt-BR.  [default: OPSMAIL_LANG, or the locale]",
)
