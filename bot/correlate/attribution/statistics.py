"""Is one rate higher than another? Tests that stay valid however often they are looked at.

Counts are compared given the exposure (requests, or seconds times share of traffic) in which they were made. With two
Poisson rates and their total given, the count on one side is binomial, and the unknown common rate drops out. The
likelihood ratio against "the same rate", averaged over a grid of rate ratios, is an e-value: under "the same rate" its
expectation is 1 at any moment of looking, so by Ville's inequality it ever exceeds 1/a with probability at most a.

Source: Robbins (1970), "Statistical methods related to the law of the iterated logarithm" (mixtures); Przyborowski and
Wilenski (1940) (the conditional test).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, inf, log, log1p

RATIOS = (2.0, 3.0, 5.0, 10.0, 30.0, 100.0)


def log_evidence(
    count: float, exposure: float, other: float, other_exposure: float, ratios: Sequence[float] = RATIOS
) -> float:
    """Natural logarithm of the e-value for "the rate here is a multiple of the rate there".

    Args:
        count, other: events here and there, ≥ 0; may be fractions (discounted for overdispersion).
        exposure, other_exposure: in one unit, > 0; else there is nothing to compare and the answer is 0.
        ratios: the multiples that are averaged over, each > 0; below 1 for "lower".
    """
    if exposure <= 0 or other_exposure <= 0:
        return 0.0
    return log_mean_exp(
        [
            count * log(ratio) - (count + other) * log1p((ratio - 1) * exposure / (exposure + other_exposure))
            for ratio in ratios
        ]
    )


def log_mean_exp(values: Sequence[float]) -> float:
    """Ln of the mean of e^values, without overflow; -inf for none."""
    if not values:
        return -inf
    top = max(values)
    return top + log(sum(exp(value - top) for value in values) / len(values))


def change_point(counts: Sequence[float]) -> tuple[int, float]:
    """Where the counts begin to be higher: (index, ln likelihood ratio of the best split), (0, 0.0) where they do not.

    `counts[index:]` has the higher rate. The ratio is the maximum over all splits: it is no e-value, only the best place.
    """
    total, n = sum(counts), len(counts)
    if total <= 0 or n < 2:
        return 0, 0.0
    flat = total * log(total / n)
    best, where, before = 0.0, 0, 0.0
    for index in range(1, n):
        before += counts[index - 1]
        after = total - before
        if after * index <= before * (n - index):
            continue
        fit = after * log(after / (n - index)) + (before * log(before / index) if before > 0 else 0.0)
        if fit - flat > best + 1e-9:
            best, where = fit - flat, index
    return where, best


def dispersion(counts: Sequence[float]) -> float:
    """Variance over mean of counts in equal windows, ≥ 1.0: how much burstier than chance; 1.0 for fewer than four."""
    n = len(counts)
    mean = sum(counts) / n if n else 0.0
    if n < 4 or mean <= 0:
        return 1.0
    return max(1.0, sum((count - mean) ** 2 for count in counts) / (n - 1) / mean)
