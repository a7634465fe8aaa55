"""What ``compiled`` is when numba does it; imported then only."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
import numpy as np
from numba.extending import overload

__all__ = ["compiled", "packed"]

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(kernel: Function) -> Function:
    """Return *kernel* compiled; kept on disk between runs where a folder can be written to."""
    try:
        return cast("Function", numba.njit(cache=True)(kernel))
    except RuntimeError:  # neither beside the source nor in the user's own cache
        return cast("Function", numba.njit(kernel))


@compiled
def packed(values):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - numba finds them
    """Return a list as an array."""
    return np.array(values)


@overload(bisect_left)
def _bisect_left(a, x, lo, hi):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, ARG001 - as above
    def found(a, x, lo, hi):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - as above
        while lo < hi:
            middle = (lo + hi) // 2
            if a[middle] < x:
                lo = middle + 1
            else:
                hi = middle
        return lo

    return found


@overload(bisect_right)
def _bisect_right(a, x, lo, hi):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, ARG001 - as above
    def found(a, x, lo, hi):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - as above
        while lo < hi:
            middle = (lo + hi) // 2
            if x < a[middle]:
                hi = middle
            else:
                lo = middle + 1
        return lo

    return found
