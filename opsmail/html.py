"""HTML pages that load nothing from elsewhere: style and script are in them, named by their hashes.

A browser refuses every other style and script, whatever a value might smuggle in (Content Security Policy Level 3,
section 2.3.1).
"""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from gettext import NullTranslations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from opsmail.source.characters import visible

if TYPE_CHECKING:
    import jinja2

_DATA = Path(__file__).resolve().parent / "data"
_CODE = re.compile("`([^`]+)`")


def render_page(folder: str, language: NullTranslations, *, also: str = "", **values: Any) -> str:
    """Return a page.

    Args:
        folder: of its `page.html`, `style.css` and `script.js`, in `data/`.
        language: that its texts are in.
        also: directives that its policy has besides, such as `connect-src 'self'; `.
        values: what its template shows. Texts are escaped; what a person would not see in them is written out.
    """
    style, script = _asset(folder, "style.css"), _asset(folder, "script.js")
    policy = (
        f"default-src 'none'; style-src '{source_hash(style)}'; script-src '{source_hash(script)}'; {also}"
        "base-uri 'none'; form-action 'none'"
    )
    return _template(folder).render(
        lang=language.info().get("language", "en").replace("_", "-"),
        policy=policy,
        style=Markup(style),  # noqa: S704 - ours
        script=Markup(script),  # noqa: S704 - ours
        **values,
    )


def source_hash(text: str) -> str:
    """Return how a policy names a style or a script."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


@cache
def _template(folder: str) -> jinja2.Template:
    import jinja2  # the page of `check --format html` needs no template

    environment = jinja2.Environment(
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True,
        finalize=lambda value: visible(value) if type(value) is str else value,
    )
    environment.filters["prose"] = _prose
    return environment.from_string(_asset(folder, "page.html"))


def _prose(text: str) -> Markup:
    """Return a sentence in which what is between backticks is code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(visible(text)))))  # noqa: S704 - escaped before


@cache
def _asset(folder: str, name: str) -> str:
    return (_DATA / folder / name).read_text("utf-8")
