"""The rules as SARIF's reporting descriptors, with what GitHub's code scanning shows and sorts by."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from opsmail.check.pages import RulePage
from opsmail.findings import RuleMeta
from opsmail.output.escape import for_program
from opsmail.output.findings.interface import rule_url
from opsmail.output.results.rule import render_text
from opsmail.output.style import Style

#: GitHub takes no longer descriptions.
_LONGEST_DESCRIPTION = 1024

_GROUPS = MappingProxyType(
    {
        "OM0": "reading",
        "OM1": "shape",
        "OM2": "server",
        "OM3": "encryption",
        "OM4": "authentication",
        "OM5": "sender",
        "OM6": "secrets",
        "OM7": "fleet",
        "OM8": "change",
        "OM9": "live",
    }
)
#: How bad it is when somebody uses what a rule finds, on the scale of CVSS: over 9 critical, from 7 on high, from
#: 4 on medium. Rules that are not about security have no figure, and GitHub shows their severity instead.
_SECURITY: Mapping[str, str] = MappingProxyType(
    {
        "OM008": "5.5",  # a file that is a link may show another one
        "OM010": "6.5",  # the reviewer sees something else than the program
        "OM203": "5.9",
        "OM206": "5.4",
        "OM208": "8.1",
        "OM209": "7.5",
        "OM301": "5.9",
        "OM303": "7.4",
        "OM304": "5.9",
        "OM401": "7.4",
        "OM402": "8.1",
        "OM405": "5.3",
        "OM406": "6.5",
        "OM409": "3.1",
        "OM410": "5.3",
        "OM601": "9.3",
        "OM603": "4.3",
        "OM604": "9.1",
        "OM605": "9.1",
        "OM805": "5.0",
        "OM806": "7.1",
    }
)
#: Rules that compare with what looks alike, or with facts that change; the others are certain.
_PRECISION: Mapping[str, str] = MappingProxyType(
    {
        "OM205": "high",
        "OM206": "medium",
        "OM207": "high",
        "OM208": "high",
        "OM210": "medium",
        "OM505": "high",
        "OM605": "medium",
    }
)


def descriptor(meta: RuleMeta, page: RulePage | None) -> dict[str, Any]:
    """Return what a SARIF log says of a rule.

    Args:
        meta: the rule.
        page: its page; None for an organisation's own rule, which has none.
    """
    words = for_program(meta.name.replace("-", " "))
    title = words[:1].upper() + words[1:]
    return {
        "id": for_program(meta.id),
        "name": for_program(meta.name),
        "shortDescription": {"text": title},
        "fullDescription": {"text": _description(page) or title},
        "help": _help(page, title, meta),
        "helpUri": rule_url(meta.id),
        "defaultConfiguration": {"level": meta.severity.label},
        "properties": _properties(meta),
    }


def _description(page: RulePage | None) -> str:
    if page is None:
        return ""
    pieces = page.section("What it checks").pieces()
    text = " ".join(piece for piece in pieces if isinstance(piece, str))
    return textwrap.shorten(text, _LONGEST_DESCRIPTION, placeholder=" …")


def _help(page: RulePage | None, title: str, meta: RuleMeta) -> dict[str, str]:
    if page is None:
        return {"text": f"{title}: {rule_url(meta.id)}"}
    return {"text": render_text(page, Style(color=False)), "markdown": page.markdown}


def _properties(meta: RuleMeta) -> dict[str, Any]:
    tags = ["configuration", _GROUPS.get(meta.id[:3], "policy")]
    precision = {"precision": _PRECISION.get(meta.id, "very-high")}
    severity = _SECURITY.get(meta.id)
    if severity is None:
        return {"tags": tags, **precision}
    return {"tags": ["security", *tags], **precision, "security-severity": severity}
