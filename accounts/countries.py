"""What countries are called, by their two letters (ISO 3166-1): Unicode's names, which Babel brings."""

from collections.abc import Mapping
from functools import lru_cache

from babel import Locale
from django.utils.translation import get_language


def country_name(code: str, language: str = "") -> str:
    """The name in the language of the reader, or in `language` as Django writes it. What nobody knows stands as it
    was written."""
    return _names(language or get_language() or "en").get(code.upper(), code)


def in_both(code: str) -> str:
    """In English and Chinese, for a sheet that everybody reads; a code that nobody knows stands once."""
    return " ".join(dict.fromkeys((country_name(code, "en"), country_name(code, "zh-hans"))))


@lru_cache(maxsize=8)
def _names(language: str) -> Mapping[str, str]:
    return dict(Locale.parse(language, sep="-").territories)
