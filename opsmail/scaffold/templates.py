"""The texts of a new repository's files, which are data."""

from __future__ import annotations

from pathlib import Path
from string import Template

_FOLDER = Path(__file__).resolve().parent.parent / "data" / "scaffold"


class _Template(Template):
    """`%%{name}`: what the files are full of, `$` and `{{ }}`, means nothing here."""

    delimiter = "%%"


def template(name: str, **values: str) -> str:
    """Return the text of a template with its places filled.

    Args:
        name: of the file below `data/scaffold`.
        values: of its places; whole lines end with a line end.
    """
    return _Template((_FOLDER / name).read_text("utf-8")).substitute(values)
