"""How large the audit's sample is: the smallest that keeps the promise of the rule."""

from math import comb

import pytest

from handover.sampling import rule_for


@pytest.mark.parametrize("population", [1, 12, 60, 99, 100, 101, 250, 1000, 6000, 50_000])
def test_the_sample_is_the_smallest_that_finds_one_in_a_hundred_with_95_percent(population):
    rule = rule_for(population)
    assert rule.wrong - 1 < population / 100 <= rule.wrong
    assert _missed(population, rule.wrong, rule.size) <= 0.05 < _missed(population, rule.wrong, rule.size - 1)


def _missed(population, wrong, size):
    return comb(population - wrong, size) / comb(population, size)


@pytest.mark.parametrize(("population", "size"), [(0, 0), (1, 1), (100, 95), (1000, 258), (10_000, 294), (10**7, 299)])
def test_the_sizes_that_the_documentation_names(population, size):
    assert rule_for(population).size == size
