"""What an identity provider answers when it gives no token (RFC 6749 section 5.2, and Microsoft's additions)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from opsmail.mail.redaction import Redactor
from opsmail.mail.reply import readable
from opsmail.values import dataclass

#: What is kept of a description, in characters.
DESCRIPTION = 300
_CODE = re.compile(r"AADSTS(\d{1,10})")
_ERROR = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
# Microsoft ends a description with ids that stand elsewhere in the answer too.
_IDS = re.compile(r"\s*(?:Trace ID|Correlation ID|Timestamp): .*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class OAuthError:
    """An identity provider's refusal.

    Args:
        error: the code of RFC 6749 or an extension, such as `invalid_client`: what decisions rest on.
        codes: Microsoft's AADSTS numbers: hints for people.
        description: in the provider's words, without secrets, cut and printable.
        correlation_id: what Microsoft's support asks for.
    """

    error: str
    codes: tuple[int, ...] = ()
    description: str = ""
    correlation_id: str = ""

    @classmethod
    def parse(cls, answer: Mapping[str, Any], redact: Redactor, correlation_id: str = "") -> OAuthError:
        """Return what an answer without a token says.

        Args:
            answer: its JSON object; anything may be in it.
            redact: takes out what the request said in confidence.
            correlation_id: the one that was sent, for an answer that names none.
        """
        error: Any = answer.get("error")
        text: Any = answer.get("error_description")
        # Azure's machine identity service answers with an object here.
        if isinstance(error, dict):
            error, text = error.get("code"), error.get("message")
        description = text if isinstance(text, str) else ""
        return cls(
            error=_matched(_ERROR, error) or "unknown",
            codes=_codes(answer.get("error_codes"), description),
            description=_shown(description, redact),
            correlation_id=_matched(_ID, answer.get("correlation_id")) or correlation_id,
        )

    def __str__(self) -> str:
        numbers = ", ".join(f"AADSTS{code}" for code in self.codes)
        return f"{self.error} ({numbers})" if numbers else self.error


def _matched(pattern: re.Pattern[str], value: object) -> str | None:
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _codes(listed: object, description: str) -> tuple[int, ...]:
    numbers = [code for code in listed if type(code) is int] if isinstance(listed, list) else []
    found = dict.fromkeys(numbers or map(int, _CODE.findall(description[:DESCRIPTION])))
    return tuple(found)[:5]


def _shown(description: str, redact: Redactor) -> str:
    # Redacted before it is cut: the beginning of a secret is one too.
    (clean,) = redact([_IDS.sub("", description[:20_000]).encode("utf-8", "replace")])
    text = readable(clean)
    return text if len(text) <= DESCRIPTION else text[: DESCRIPTION - 1] + "…"
