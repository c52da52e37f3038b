"""How sure a measured fraction is."""

from __future__ import annotations

from math import sqrt

from bot.model.judgement import Range

Z_95 = 1.959964
"""Two-sided 95 % quantile of the normal distribution."""


def wilson(failed: int, total: int, z: float = Z_95) -> Range:
    """The measured fraction with its 95 % Wilson score interval, all within 0–1.

    Without any request nothing is known: 0 – 0.5 – 1, the interval's own limit.

    Raises:
        ValueError: negative counts, or failed > total.
    Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22.
    """
    if not 0 <= failed <= total:
        raise ValueError(f"{failed} of {total} is no fraction")
    if total == 0:
        return Range(0.0, 0.5, 1.0)
    fraction = failed / total
    spread = z * z / total
    centre = (fraction + spread / 2) / (1 + spread)
    half = z / (1 + spread) * sqrt(fraction * (1 - fraction) / total + spread / (4 * total))
    # rounding must not push a bound past the measured value or out of 0–1
    return Range(max(0.0, min(centre - half, fraction)), fraction, min(1.0, max(centre + half, fraction)))
