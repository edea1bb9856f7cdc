"""Reading with the parser: of files that are not plain."""

from __future__ import annotations

import yaml

from opsmail.source.building import Builder, Refusal
from opsmail.source.document import MAX_REPEATED, Document, Places, ReadProblem
from opsmail.source.syntax import syntax_problem


def read_strictly(text: str, top: type) -> tuple[Document | None, list[ReadProblem]]:
    """Read one YAML document.

    Args:
        text: the file, of characters that can be seen.
        top: what the document has to be, `dict` or `list`.

    Returns:
        The document, or None when it cannot be taken as one; and every problem found. Neither, where there is nothing.
    """
    builder = Builder(text, top, MAX_REPEATED)
    try:
        data = builder.build()
    except yaml.MarkedYAMLError as error:
        # A text that goes on where it should not is part of the same mistake.
        before = [problem for problem in builder.problems if problem.rule != "OM005"]
        return None, [*before, syntax_problem(error, text)]
    except Refusal as refusal:
        return None, [*builder.problems, refusal.problem]
    if data is None or builder.problems:
        return None, builder.problems
    texts = {path: scalar.value for path, scalar in builder.scalars.items()}
    return Document(text, data, texts, lambda: Places(builder.keys, builder.scalars)), []
