"""What looks like a secret: a password behind the word for it, a token of a known make, a text too random to be a name.

It is judged by its shape alone. A finding about it cannot be waived, so in doubt it is none: words, dates,
placeholders, names of variables, references, ticket numbers, addresses of documents and digests are none.
"""

from __future__ import annotations

import re
from itertools import pairwise

from opsmail.expressions import expression

#: Fields for secret references; what stands there in their place is judged by OM601.
SECRET_FIELDS = frozenset(
    (
        "authentication.password",
        "authentication.credential.secret",
        "authentication.credential.pfx",
        "authentication.credential.passphrase",
        "authentication.credential.token_cache",
    )
)
#: Fields with a form of their own: no sentence stands there, but a token may have been pasted.
FORMAL_FIELDS = frozenset(
    (
        "version",
        "operator",
        "role",
        "enabled",
        "sender.address",
        "sender.reply_to",
        "sender.send_as",
        "server.host",
        "server.port",
        "server.encryption",
        "server.minimum_tls",
        "authentication.type",
        "authentication.username",
        "authentication.tenant",
        "authentication.client_id",
        "authentication.cloud",
        "authentication.secret_expires",
        "authentication.credential.kind",
        "authentication.credential.client_id",
        "limits.messages_per_minute",
    )
)
#: What forms and other programs call encryption: the protocols' old names, with or without a version.
OLD_ENCRYPTION_NAME = expression(
    r"(?:ssl|tls)(?:[ /_-]?(?:ssl|tls))?[ _-]?(?:v?[0-9](?:[._][0-9])?)?|smtps", re.IGNORECASE
)
#: Shorter texts hold no token.
SHORTEST_TOKEN = 16
_LONG_WORD = expression(rf"\S{{{SHORTEST_TOKEN}}}")
_SHORTEST_RANDOM = 24
_SHORTEST_PASSWORD = 6
#: More of a line is not looked at: what is written in a file like this has an end.
_LONGEST = 4000
_PIN_LENGTHS = range(6, 13)
#: What the patterns below need, as cheap tests before any of them is tried.
_WORDS = ("senha", "pass", "pasw", "pwd", "secret", "segredo", "token", "chave", "key", "contrase")
_MARKS = (
    *("AKIA", "ASIA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "xox", "SG.", "key-", "sib-"),
    *("AIza", "GOCSPX-", "eyJ", "Q~", "hvs.", "AGE-SECRET-KEY-", "_live_", "_test_", "npm_", "pypi-"),
)
#: Tokens that tell their make. Sources: the makers' pages, and GitHub's list of the secrets that it finds,
#: https://docs.github.com/code-security/secret-scanning/introduction/supported-secret-scanning-patterns
_TOKEN = expression(
    r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b"  # Amazon, access key
    r"|\bgh[pousr]_[A-Za-z0-9]{30,}|\bgithub_pat_[A-Za-z0-9_]{22,}|\bglpat-[A-Za-z0-9_-]{20,}"
    r"|\bxox[abeoprs]-[A-Za-z0-9-]{10,}"  # Slack
    r"|\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"  # SendGrid
    r"|\bkey-[0-9a-f]{32}\b"  # Mailgun
    r"|\bx(?:smtpsib|keysib)-[0-9a-f]{20,}"  # Brevo
    r"|\bAIza[A-Za-z0-9_-]{35}|\bGOCSPX-[A-Za-z0-9_-]{20,}"  # Google
    r"|\beyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{8,}"  # JSON Web Token, RFC 7519
    r"|(?<![\w~.-])[\w~.-]{3}[0-9]Q~[\w~.-]{31,34}(?![\w~.-])"  # Microsoft Entra, client secret
    r"|\bhvs\.[A-Za-z0-9_-]{20,}"  # HashiCorp Vault
    r"|\bAGE-SECRET-KEY-1[A-Z0-9]{20,}"
    r"|\b(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}"  # Stripe
    r"|\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[A-Za-z0-9_-]{50,}"
)
_PRIVATE_KEY = "PRIVATE KEY-----"
#: Amazon's mail service has this as its user name; it is no secret there.
_ACCESS_KEY_NAME = expression(r"AKIA[A-Z2-7]{16}")
_IN_ADDRESS = expression(r"\b[a-z][a-z0-9+.-]{0,31}://[^\s/:@]{1,200}:(?P<value>[^\s/@]{1,200})@", re.IGNORECASE)
_NAMED = expression(
    r"(?:senha|pass?w[a-z]{0,6}|passphrase|pwd|secret(?!ari|ári)|segredo|token|chave|contraseña"
    r"|(?:api|access|private|account)[ _-]?key)"
    r"[a-z0-9_-]{0,20}(?P<between>(?: [\w-]{1,15}){0,3})"
    r"[\"'`]?\s{0,3}(?:[:=]|=>|\bé\b|\bis\b)\s{0,3}[\"'`]?(?P<value>[^\s\"'`]{6,200})",
    re.IGNORECASE,
)
#: What may stand behind the word for a password and is none.
_HARMLESS = expression(
    r"[<{$%(\[].*|\w+\(.*|[x*._-]+|.*(?:\*{3}|\.{3}|…).*"  # a placeholder
    r"|(?-i:[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)"  # the name of a variable
    r"|[0-9]+(?:[-./:][0-9]+)+|[0-9]+[a-z]{1,6}"  # a date, a time, an amount with its unit
    r"|(?:chamado|ticket|os|gmud|rfc|chg|inc|req|ritm|task|bug|issue|(?-i:[A-Z]{2,8}-))[-_#]?[0-9]{1,10}"
    r"|(?:rsa|aes|sha|md|oauth|tls|ssl|ed|ec|p|v|ad)[-_]?[0-9]{1,5}"
    r"|[^\W\d_]+(?:[-_/.+#:][^\W\d_]+)*(?:[-_/.][0-9]{1,4})?"  # words
    r"|[\w.-]+(?:/[\w.-]+)+(?:#[\w-]+)?|[a-z+.-]{2,31}:[\w./#-]*"  # a path, a reference
    r"|[^@\s]+@[^@\s]+\.[A-Za-z]{2,}",
    re.IGNORECASE,
)
#: Random for other reasons: addresses of documents, digests, public keys.
_RANDOM_BY_NATURE = expression(r"https?://\S+|\bsha[0-9]{1,3}[:=-]\S+|\bssh-[a-z0-9-]{1,40} \S+|\bp=\S+", re.IGNORECASE)
_RUN = expression(r"[A-Za-z0-9+_=~-]{24,}")
#: How many lower-case letters, upper-case letters and digits there are at least in a random text; fewer are a digest.
_MIXED = {1: 3, 3: 3, 4: 1}
#: Google shows app passwords in four groups of four letters.
_APP_PASSWORD = expression(r"(?<![\w-])[a-z]{4} [a-z]{4} [a-z]{4} [a-z]{4}(?![\w-])")
_CONSONANTS = expression(r"[bcdfghjklmnpqrstvwxz]{3}")
_ABBREVIATIONS = frozenset(("smtp", "http", "html"))


def holds_secret(path: str, value: str) -> bool:
    """Whether the value of a field looks like a secret, although the field is not for secrets.

    Args:
        path: the field, dotted.
        value: the text that stands there.
    """
    if path in FORMAL_FIELDS:
        if len(value) < SHORTEST_TOKEN or value.islower():
            return False
        is_name = path == "authentication.username" and _ACCESS_KEY_NAME.fullmatch(value) is not None
        return not is_name and looks_like_token(value)
    return path not in SECRET_FIELDS and looks_secret(f"{path.rpartition('.')[2]}: {value}")


def looks_secret(text: str) -> bool:
    """Whether a text for people holds what looks like a secret.

    Args:
        text: one line, such as a comment, or a value with its name before it.
    """
    text = text[:_LONGEST]
    if not may_hold_secret(text):
        return False
    named = _NAMED.finditer(text)
    addresses = _IN_ADDRESS.finditer(text)
    return (
        any(_is_named_password(found) for found in named)
        or any(_is_password(found["value"]) for found in addresses)
        or looks_like_token(text)
        or any(_is_app_password(found) for found in _APP_PASSWORD.findall(text))
    )


def may_hold_secret(text: str) -> bool:
    """Whether it is worth a closer look; `looks_secret` is false where this is.

    Args:
        text: one text or several, separated by line ends.
    """
    lowered = text.lower()
    for word in _WORDS:
        if word in lowered:
            return True
    if "://" in text or _LONG_WORD.search(text) is not None:
        return True
    return text.count(" ") > 2 and _APP_PASSWORD.search(text) is not None


def looks_like_token(text: str) -> bool:
    """Whether a text holds a token of a known make, or something too random to be a name."""
    if len(text) < SHORTEST_TOKEN:
        return False
    if _PRIVATE_KEY in text or (any(mark in text for mark in _MARKS) and _TOKEN.search(text) is not None):
        return True
    if max(map(len, text.split()), default=0) < _SHORTEST_RANDOM:
        return False
    return any(_is_random(run) for run in _RUN.findall(_RANDOM_BY_NATURE.sub(" ", text)))


def _is_named_password(found: re.Match[str]) -> bool:
    value = found["value"].rstrip(".,;:!?)")
    # A number right behind the word is one; at the end of a sentence it is a telephone's.
    return _is_password(value) or (value.isdecimal() and len(value) in _PIN_LENGTHS and not found["between"])


def _is_password(value: str) -> bool:
    """Whether this, behind the word for a password, is one: no word, and of more than one kind of character."""
    value = value.rstrip(".,;:!?)")
    if len(value) < _SHORTEST_PASSWORD:
        return False
    if len(value) == SHORTEST_TOKEN and value.isalpha() and len(_CONSONANTS.findall(value)) > 1:
        return True  # an app password without its spaces
    if _HARMLESS.fullmatch(value) is not None:
        return False
    kinds = {_kind(character) for character in value}
    return len(kinds) > 1


def _kind(character: str) -> int:
    return character.isalpha() + 2 * character.isupper() + 4 * character.isdecimal()


def _is_app_password(groups: str) -> bool:
    """Four short words in a row do stand in sentences; two of four that no one can pronounce do not."""
    words = set(groups.split(" ")) - _ABBREVIATIONS
    return sum(_CONSONANTS.search(word) is not None for word in words) > 1


def _is_random(run: str) -> bool:
    """Whether letters and digits change as often as in random text: names of things have longer runs of one kind."""
    kinds = [_kind(character) for character in run if character.isalnum()]
    if any(kinds.count(kind) < least for kind, least in _MIXED.items()):
        return False
    changes = sum(before != after for before, after in pairwise(kinds))
    return changes * 2 >= len(kinds)
