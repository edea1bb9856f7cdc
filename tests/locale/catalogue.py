"""The catalogues of translations: `make messages` brings them in line with what the program says.

The template `opsmail.pot` has every English text; `opsmail.po` of a language is what its translators edit; `opsmail.mo`
is what the program loads, made of it.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tests.locale.extraction import Text, texts

FOLDER = Path(__file__).parents[2] / "opsmail" / "locale"
TEMPLATE = FOLDER / "opsmail.pot"
LANGUAGES = ("pt_BR",)
_HEADER = "# What opsmail says to people."
_NOISE = re.compile(rb'^"(POT-Creation-Date|PO-Revision-Date|Generated-By): .*\n', re.MULTILINE)


def source(language: str) -> Path:
    """Return the file that the translators of a language edit."""
    return FOLDER / language / "LC_MESSAGES" / "opsmail.po"


def compiled(language: str) -> Path:
    """Return the file that the program loads."""
    return source(language).with_suffix(".mo")


def read(path: Path) -> Catalog:
    """Return the catalogue of a file."""
    with path.open("rb") as file:
        return read_po(file, domain="opsmail")


def template(found: Iterable[Text]) -> Catalog:
    """Return the template of what the program says."""
    catalogue = Catalog(
        domain="opsmail",
        project="opsmail",
        version="1",
        header_comment=_HEADER,
        msgid_bugs_address="docs/translating.md",
        last_translator="opsmail",
        language_team="opsmail",
        fuzzy=False,
    )
    for text in found:
        # Whole places: with line numbers, every change would touch the catalogues.
        catalogue.add(text.key, locations=[(text.place.replace(" ", "-"), 0)])
    return catalogue


def main() -> int:
    """Bring template and catalogues up to date; say what is left for translators, and end with 1 when there is some."""
    whole = template(texts())
    _write(TEMPLATE, _text(whole))
    left = 0
    for language in LANGUAGES:
        catalogue = read(source(language))
        for message in catalogue.obsolete.values():  # what was said before may be said again
            catalogue.add(message.id, message.string)
        catalogue.obsolete.clear()
        catalogue.update(whole, no_fuzzy_matching=True, update_header_comment=False)
        catalogue.revision_date = datetime.now(UTC)
        _write(source(language), _text(catalogue))
        content = BytesIO()
        write_mo(content, read(source(language)))
        compiled(language).write_bytes(content.getvalue())
        missing = [
            message.id for message in catalogue if message.id and (message.fuzzy or not all(_strings(message.string)))
        ]
        for key in missing:
            print(f"{source(language)}: {key!r}")
        left += len(missing)
    print(f"{len(whole)} texts, {left} to translate")
    return int(left > 0)


def _strings(string: str | Iterable[str] | None) -> tuple[str, ...]:
    return (string or "",) if string is None or isinstance(string, str) else tuple(string)


def _text(catalogue: Catalog) -> bytes:
    content = BytesIO()
    write_po(content, catalogue, width=120, include_lineno=False)
    return content.getvalue()


def _write(path: Path, text: bytes) -> None:
    """Write a file, unless only its dates and the version of Babel would change."""
    if not path.is_file() or _NOISE.sub(b"", path.read_bytes()) != _NOISE.sub(b"", text):
        path.write_bytes(text)


if __name__ == "__main__":
    sys.exit(main())
