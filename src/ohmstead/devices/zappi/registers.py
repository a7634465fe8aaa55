"""A zappi knows no registers: what it tells and takes is in ``points.py``."""

from collections.abc import Mapping
from typing import Final

from ohmstead.registers import RegisterTable

__all__ = ["TABLES", "tables_for"]

TABLES: Final[tuple[RegisterTable, ...]] = ()


def tables_for(model: str) -> Mapping[str, RegisterTable]:
    """Return no table, whatever the *model*."""
    del model
    return {}
