"""Outputs of findings: those of `check`, and failures of `test`."""

from __future__ import annotations

from collections.abc import Mapping
from gettext import NullTranslations
from importlib import import_module
from types import MappingProxyType

from opsmail.output.findings.interface import FindingsFormat, Report, Summary
from opsmail.output.style import Style
from opsmail.values import dataclass

__all__ = ["FORMATS", "STATISTICS", "FindingsFormat", "Report", "Summary"]


@dataclass(frozen=True, slots=True)
class _Module:
    """A format that is imported when it is used: most runs need one of them."""

    name: str
    function: str = "render"

    def __call__(self, report: Report, language: NullTranslations, style: Style) -> str:
        render: FindingsFormat = getattr(import_module(f"{__name__}.{self.name}"), self.function)
        return render(report, language, style)


_NAMES = ("text", "concise", "json", "sarif", "github", "gitlab", "junit", "azure", "markdown", "html")

FORMATS: Mapping[str, FindingsFormat] = MappingProxyType({name: _Module(name) for name in _NAMES})
#: What `--statistics` writes instead.
STATISTICS: Mapping[str, FindingsFormat] = MappingProxyType(
    {"text": _Module("statistics"), "json": _Module("statistics", "render_json")}
)
