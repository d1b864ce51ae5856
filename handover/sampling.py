"""How many records an audit compares: a stated rule, worked out exactly. Pure functions, whole numbers only.

The rule: if 1 % or more of the records were wrong, a sample of this size, drawn without replacement, would hold at
least one of them with 95 % confidence (hypergeometric distribution of the finite population, no error allowed)."""

from dataclasses import dataclass
from math import ceil

CONFIDENCE_PERCENT = 95
TOLERABLE_PERCENT = 1
DISTRIBUTION = "hypergeometric"


@dataclass(frozen=True, slots=True)
class Rule:
    """A sample of `size` out of `population`: it misses `wrong` or more wrong records in at most 1 of 20 draws."""

    population: int
    wrong: int
    size: int


def rule_for(population: int) -> Rule:
    """The smallest sample that the rule allows for so many records."""
    wrong = ceil(population * TOLERABLE_PERCENT / 100)
    return Rule(population, wrong, _size(population, wrong))


def _size(population: int, wrong: int) -> int:
    """The chance to miss all wrong ones is C(population - wrong, n) / C(population, n), kept as two whole numbers."""
    missed, all_draws = 1, 1
    for drawn in range(population + 1):
        if missed * 100 <= all_draws * (100 - CONFIDENCE_PERCENT):
            return drawn
        missed *= population - wrong - drawn
        all_draws *= population - drawn
    return population
