"""Words as they are compared: without accents, capitals and endings; pure."""

import re
import unicodedata
from functools import lru_cache

_OTHER = re.compile(r"[^a-z0-9+#.,:'&%€$£~()/-]+")
_ENDING = r"(?:e|s|es|x|\(e\)|\(s\)|\(e\)s)?"
_SPELT = str.maketrans({"’": "'", "œ": "oe", "æ": "ae", "–": "-", "—": "-", "‑": "-", "−": "-"})


def plain(text: str) -> str:
    """Return a text in small letters without accents, white space as one space."""
    lower = unicodedata.normalize("NFKD", text.lower().translate(_SPELT))
    return _OTHER.sub(" ", "".join(each for each in lower if not unicodedata.combining(each))).strip()


def fold(text: str) -> str:
    """Return a text as `plain` does, with words that a dash or a slash joins apart."""
    return " ".join(plain(text).replace("-", " ").replace("/", " / ").split())


def mentions(folded: str, word: str) -> bool:
    """Whether a folded text has a word, or words in a row; `*` at its end stands for any ending."""
    pattern = _pattern(word)
    return pattern is not None and pattern.search(folded) is not None


@lru_cache(maxsize=4096)
def _pattern(word: str) -> re.Pattern[str] | None:
    folded = fold(word.removesuffix("*"))
    if not folded:
        return None
    start = rf"(?<![a-z0-9]){re.escape(folded)}"
    if word.endswith("*"):
        return re.compile(start)
    # Its feminine and its plural are the same word, where it is long enough not to become another one.
    ending = _ENDING if len(folded) > 3 and folded[-1].isalpha() else ""
    return re.compile(rf"{start}{ending}(?![a-z0-9+#']|\.[a-z])")
