"""How well two colours can be told apart (WCAG 2.2, relative luminance and contrast ratio)."""

from __future__ import annotations

Rgb = tuple[int, int, int]


def luminance(color: Rgb) -> float:
    """From 0, black, to 1, white."""
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in color))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Rgb, other: Rgb) -> float:
    """From 1, the same, to 21."""
    darker, brighter = sorted((luminance(one), luminance(other)))
    return (brighter + 0.05) / (darker + 0.05)


def rgb(color: str) -> Rgb:
    """Of `#1f5f8b`."""
    red, green, blue = bytes.fromhex(color.removeprefix("#"))
    return red, green, blue
