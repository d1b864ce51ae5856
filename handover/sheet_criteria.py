"""By which criteria of the agreed scope some customers stayed, as the sheet of the certificate says it: from what was
signed, in English and in Chinese."""

from collections.abc import Mapping
from typing import Any

from accounts.countries import country_name

Said = tuple[str, str]  # English, Chinese
_ENGLISH, _CHINESE = "en", "zh-hans"
_WITH_ANOTHER = {"currency"}  # said with the amount
_WORDS: Mapping[str, Said] = {
    "collected_from": ("collected on {value} or later", "{value}及以后收集"),
    "collected_until": ("collected on {value} or earlier", "{value}及以前收集"),
    "sources": ("from imports of the seller: {value}", "来自转让方的{value}次导入"),
    "purchases": ("purchases: {value} or more", "购买{value}次及以上"),
    "bought_since": ("with a purchase on {value} or later", "{value}及以后有购买"),
    "spent": ("who spent {value} {currency} or more in all", "累计消费{value} {currency}及以上"),
}


def chosen(scope: Mapping[str, Any]) -> Said | None:
    """Who was to cross; None where the scope chose nobody, as in every certificate of before there were criteria."""
    criteria = scope.get("segment", {}).get("criteria")
    if not criteria:
        return None
    said = [_words(name, criteria) for name in sorted(criteria) if name not in _WITH_ANOTHER]
    return f"Only {', '.join(english for english, _zh in said)}", f"仅限{'、'.join(chinese for _en, chinese in said)}"


def _words(name: str, criteria: Mapping[str, Any]) -> Said:
    """One criterion. A later one that this sheet has no words for stands as it was signed."""
    value = criteria[name]
    if name == "jurisdictions":
        english, chinese = ([country_name(one, language) for one in value] for language in (_ENGLISH, _CHINESE))
        return f"of {' or '.join(english)}", f"{'或'.join(chinese)}的客户"
    facts = {"value": len(value) if name == "sources" else value, "currency": criteria.get("currency", "")}
    english_words, chinese_words = _WORDS.get(name, (f"{name} {{value}}",) * 2)
    return english_words.format(**facts), chinese_words.format(**facts)
