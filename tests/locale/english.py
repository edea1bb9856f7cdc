"""English that was left over in a text of another language."""

import re

#: Words of English that are none of Portuguese, and that hardly a sentence does without.
# fmt: off
_WORDS = frozenset(
    (
        "about", "after", "again", "all", "already", "also", "an", "and", "another", "any", "are",
        "at", "be", "because", "been", "before", "both", "but", "by", "can", "cannot", "could",
        "did", "does", "down", "each", "either", "else", "every", "few", "file", "files", "first",
        "folder", "from", "give", "has", "have", "here", "how", "if", "in", "into", "is", "it",
        "its", "kept", "last", "least", "less", "line", "make", "may", "missing", "more",
        "most", "must", "name", "need", "needs", "never", "new", "newer", "nobody", "not",
        "nothing", "of", "on", "once", "one", "only", "or", "other", "out", "over", "own", "part",
        "same", "see", "seen", "set", "shall", "should", "so", "still", "such", "take",
        "than", "that", "the", "their", "them", "then", "there", "these", "they", "this", "those",
        "through", "too", "two", "under", "unknown", "up", "used", "value", "was", "were", "what",
        "when", "where", "whether", "which", "while", "who", "whose", "will", "with", "without",
        "word", "would", "write", "wrong", "you", "your",
    )
)
# fmt: on
#: Not prose: code, options, choices, values in angle brackets, links, names of files, places to fill in.
_CODE = re.compile(
    r"```.*?```|``.*?``|`[^`]*`|<[^>]*>|\[[^\]\s]*\|[^\]\s]*\]|https?://\S+|--[a-z-]+|{[^}]*}|[\w./-]*\.\w+|\S+[/=_]\S+",
    re.DOTALL,
)
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")


def english_in(text: str) -> list[str]:
    """Return the words of a text that are English.

    Args:
        text: code in it does not count.
    """
    words = _WORD.findall(_CODE.sub(" ", text))
    return [word for word in words if word.lower() in _WORDS and not word.isupper()]
