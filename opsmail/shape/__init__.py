"""Plain data to frozen dataclasses, and back: the one place that knows what a type annotation demands of a file.

The annotated dataclasses of the operator and of the settings are the only description of those files: decoding, the
canonical form and (through pydantic) the published JSON Schemas all come from them.
"""

from opsmail.shape.decoder import Decoder
from opsmail.shape.encoder import encode
from opsmail.shape.problems import Problem, ProblemKind, join, may_show, nearest, shown, shown_name

__all__ = ["Decoder", "Problem", "ProblemKind", "encode", "join", "may_show", "nearest", "shown", "shown_name"]
