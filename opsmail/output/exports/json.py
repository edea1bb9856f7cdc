"""Every field of every operator, by its id; also what `opsmail import` reads."""

from __future__ import annotations

from opsmail.output.escape import json_text
from opsmail.transfer.published import Fleet


def render(fleet: Fleet) -> str:
    """Return the JSON of a fleet."""
    operators = {name: effective.document()["operator"] for name, effective in fleet.operators.items()}
    return json_text({"generation": fleet.generation, "operators": operators})
