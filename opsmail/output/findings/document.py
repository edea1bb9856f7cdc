"""What `check --format json` writes: it is made of these values, and so is its published schema."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from opsmail.constraints import AnyLength, Doc, Pattern, Range
from opsmail.findings import FixSafety
from opsmail.messages import msg

SCHEMA: Literal["opsmail/findings/v1"] = "opsmail/findings/v1"

_Text = Annotated[str, AnyLength()]
_Count = Annotated[int, Range(0, 2**53)]
_FromOne = Annotated[int, Range(1, 2**53)]
_File = Annotated[
    str,
    AnyLength(),
    Doc("File", "Path from the repository's root, with `/` on every system.", ("operators/rh.yaml",)),
]
_Fingerprint = Annotated[str, Pattern("[0-9a-f]{16}", msg("16 hexadecimal digits"), "0f1e2d3c4b5a6978")]


@dataclass(frozen=True, slots=True)
class Position:
    """A position in a file."""

    line: Annotated[_FromOne, Doc("Line", "Counts from 1.", (9,))]
    column: Annotated[_FromOne, Doc("Column", "Counts from 1, in code points.", (9,))]


_Start = Annotated[Position, Doc("Start", "The first character of the place.")]
_End = Annotated[Position, Doc("End", "What follows the last character of the place.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Related:
    """Another place that belongs to a finding."""

    message: Annotated[_Text, Doc("Message", "What it has to do with the finding.", ("STARTTLS belongs to 587",))]
    file: _File
    start: _Start
    end: _End


@dataclass(frozen=True, slots=True, kw_only=True)
class Waived:
    """Why a finding is muted, and until when."""

    reason: Annotated[_Text, Doc("Reason", "As waivers.yaml gives it.", ("ticket 4711",))]
    approved_by: Annotated[_Text, Doc("Approved by", "Who approved it.", ("ti@empresa.com.br",))]
    expires: Annotated[_Text, Doc("Expires", "The last day on which it counts, year-month-day.", ("2027-06-30",))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """A piece of the file to replace."""

    start: _Start
    end: _End
    text: Annotated[_Text, Doc("Text", "What is to stand there, exactly.", ("587",))]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A change of the finding's file that ends it."""

    safety: Annotated[
        FixSafety,
        Doc("Safety", "A safe fix cannot change what is meant; an unsafe one needs somebody to look at it.", ("safe",)),
    ]
    description: Annotated[_Text, Doc("Description", "What it does.", ("write 587",))]
    edits: Annotated[
        tuple[Edit, ...],
        Doc("Edits", "Applied together or not at all; they do not overlap. None where only a byte-order mark goes."),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong, or worth knowing, at one place."""

    rule: Annotated[_Text, Doc("Rule", "Its id; never renumbered.", ("OM201",))]
    name: Annotated[_Text, Doc("Name", "The rule's name; never renamed.", ("port-encryption-mismatch",))]
    severity: Annotated[
        Literal["error", "warning", "note"], Doc("Severity", "As the settings judge the rule.", ("error",))
    ]
    operator: Annotated[_Text, Doc("Operator", "Its id; null where there is none.", ("rh-notificacoes",))] | None
    path: Annotated[_Text, Doc("Field", "Dotted; empty for the whole file.", ("server.port",))]
    message: Annotated[_Text, Doc("Message", "What is wrong, in English.", ("port 465 expects implicit TLS, but …",))]
    file: _File
    start: _Start
    end: _End
    related: Annotated[tuple[Related, ...], Doc("Related places", "In this file or in others.")]
    help: Annotated[_Text, Doc("Help", "What to do; null where the message says it.", ("use port 587",))] | None
    url: Annotated[_Text, Doc("URL", "Where the rule is explained.", ("https://opsmail.readthedocs.io/rules/OM201/",))]
    waived: Annotated[Waived, Doc("Waived", "Why it is muted; null when it counts.")] | None
    fingerprint: Annotated[
        _Fingerprint,
        Doc("Fingerprint", "Stays the same when lines move; differs within a run.", ("0f1e2d3c4b5a6978",)),
    ]
    fix: Annotated[Fix, Doc("Fix", "A change that ends it; null where none is offered.")] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The figures of a run."""

    files: Annotated[_Count, Doc("Files", "Files that were looked at.", (240,))]
    operators: Annotated[_Count, Doc("Operators", "Those among them that describe an operator.", (240,))]
    errors: Annotated[_Count, Doc("Errors", "Waived ones left out.", (2,))]
    warnings: Annotated[_Count, Doc("Warnings", "Waived ones left out.", (1,))]
    notes: Annotated[_Count, Doc("Notes", "Waived ones left out.", (0,))]
    waived: Annotated[_Count, Doc("Waived", "Findings that a waiver mutes.", (1,))]
    fixable: Annotated[_Count, Doc("Fixable", "Findings with a fix, waived ones left out.", (1,))]
    baselined: (
        Annotated[_Count, Doc("In the baseline", "Findings left out because the baseline has them.", (4,))] | None
    ) = None
    old: Annotated[_Count, Doc("Not new", "Findings left out because the revision has them.", (7,))] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """The findings of a run of `opsmail check`."""

    schema: Annotated[Literal["opsmail/findings/v1"], Doc("Schema", "What this document is.")]
    summary: Annotated[Summary, Doc("Summary", "The figures of the run.")]
    findings: Annotated[tuple[Finding, ...], Doc("Findings", "By file and place; waived ones are among them.")]
