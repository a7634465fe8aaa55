"""Chance that can be repeated: the same key draws the same numbers, on any machine."""

from random import Random

__all__ = ["chance"]


def chance(*key: object) -> Random:
    """Return a source of random numbers that depends on nothing but *key*."""
    return Random(" ".join(map(str, key)))  # noqa: S311 - weather, not secrets
