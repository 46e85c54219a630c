"""Whether one colour can be read on another."""

from seaborn.utils import relative_luminance


def contrast(text, ground):
    """Of WCAG 2, between two colours."""
    low, high = sorted(map(relative_luminance, (text, ground)))
    return (high + 0.05) / (low + 0.05)
