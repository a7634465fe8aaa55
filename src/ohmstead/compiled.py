"""Kernels: compiled where numba is there and wanted, plain Python otherwise; one source for both.

A kernel is written in what plain Python and numba both know: numbers, lists made inside it, and
rows that it only reads. Plain Python gets the rows as lists, compiled code as arrays; ``row`` and
``packed`` are the borders. Whether to compile is decided once, when this is first imported: loading
numba takes a second and 100 MB, which a service on a small computer must not pay for.
"""

import os
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import Any, Final, TypeAlias, TypeVar, cast

import numpy as np
import numpy.typing as npt

__all__ = [
    "COMPILED",
    "SWITCH",
    "Places",
    "Row",
    "Rows",
    "compiled",
    "listed",
    "numbers",
    "packed",
    "places",
    "row",
    "rows",
]

Function = TypeVar("Function", bound=Callable[..., Any])

Row: TypeAlias = Sequence[float]
Rows: TypeAlias = Sequence[Sequence[float]]
Places: TypeAlias = Sequence[int]
Packed = TypeVar("Packed", list[float], list[int])

SWITCH: Final = "OHMSTEAD_FAST"
"""The environment variable that decides: 1 compiles if numba is installed."""
COMPILED: Final = os.environ.get(SWITCH, "0") == "1" and find_spec("numba") is not None


def _plain(values: Packed) -> Packed:
    return values


def _same(kernel: Function) -> Function:
    return kernel


def _engine() -> tuple[Callable[[Function], Function], Callable[[Packed], Packed]]:
    if not COMPILED:
        return _same, _plain
    from ohmstead import compiled_by_numba as engine

    return engine.compiled, cast("Callable[[Packed], Packed]", engine.packed)


compiled, packed = _engine()
"""Return a kernel, compiled where that is wanted; and a list made in one as what it may return."""


def row(values: npt.NDArray[np.float64]) -> Row:
    """Return *values* as kernels want them."""
    return cast("Row", values if COMPILED else values.tolist())


def rows(values: npt.NDArray[np.float64]) -> Rows:
    """Return the table *values* as kernels want it."""
    return cast("Rows", values if COMPILED else values.tolist())


def listed(values: Row) -> list[float]:
    """Return what came from a kernel as a plain list."""
    return cast(
        "list[float]", cast("npt.NDArray[np.float64]", values).tolist() if COMPILED else values
    )


def numbers(values: Sequence[float]) -> Row:
    """Return numbers that are no array yet as kernels want them."""
    return cast("Row", np.array(values, np.float64)) if COMPILED else values


def places(values: Sequence[int]) -> Places:
    """Return whole numbers as kernels want them."""
    return cast("Places", np.array(values, np.int64)) if COMPILED else values
