"""Habits derived from purchases: how often, what, and by which channel. Pure functions."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

TOP = 3


def derive(purchases: Sequence[Sequence[str | None]]) -> tuple[str, str, str] | None:
    """[frequency, preferred products, preferences] of a customer's purchases, each
    (time, product, quantity, amount, currency, channel). None without any dated purchase.

    Frequency: mean days between the first and the last purchase day, as whole days; "once" becomes an empty text.
    Preferred products: at most three by quantity, joined by "; ". Preferences: the channel used most."""
    days = sorted({day for row in purchases if (day := _day(row[0]))})
    if not days:
        return None
    interval = str(round((days[-1] - days[0]).days / (len(days) - 1))) if len(days) > 1 else ""
    products: Counter[str] = Counter()
    channels: Counter[str] = Counter()
    for _time, product, quantity, _amount, _currency, channel in purchases:
        if product:
            products[product] += _whole(quantity)
        if channel:
            channels[channel] += 1
    return interval, "; ".join(name for name, _count in products.most_common(TOP)), _first(channels)


def _day(time: str | None) -> date | None:
    """A book that arrived holds what its seller's platform wrote: what is no ISO date counts as none."""
    try:
        return date.fromisoformat((time or "")[:10])
    except ValueError:
        return None


def _whole(quantity: str | None) -> int:
    try:
        return max(1, int(float(quantity or 1)))
    except ValueError:
        return 1


def _first(counter: Counter[str]) -> str:
    return counter.most_common(1)[0][0] if counter else ""
