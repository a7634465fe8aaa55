"""What ``compiled`` is when numba does it; imported then only.

Compiled kernels are kept on disk between runs, beside the source or in the user's own cache. numba
cannot read what it kept for types that are no more, so every version of the source has its own
folder, and those of other versions are removed.
"""

import shutil
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
from numba.extending import overload

__all__ = ["compiled", "kept_in", "packed"]

Function = TypeVar("Function", bound=Callable[..., Any])

_SOURCE: Final = Path(__file__).parent
_PREFIX: Final = "kernels-"


def kept_in(places: Sequence[Path], source: Path = _SOURCE) -> Path | None:
    """Return the folder for the kernels of *source*, in the first of *places* to be written to."""
    digest = blake2b(digest_size=8)
    for path in sorted((source / "planner").glob("*.py")):
        digest.update(path.read_bytes())
    for place in places:
        folder = place / f"{_PREFIX}{digest.hexdigest()}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        for other in place.glob(f"{_PREFIX}*"):
            if other != folder:
                shutil.rmtree(other, ignore_errors=True)
        return folder
    return None


def _home() -> list[Path]:
    try:
        return [Path.home() / ".cache" / "ohmstead"]
    except RuntimeError:  # nobody's
        return []


_KEPT = kept_in([_SOURCE / "__pycache__", *_home()])
if _KEPT is not None:
    numba.config.CACHE_DIR = str(_KEPT)  # type: ignore[attr-defined]  # numba makes it up at run time


def compiled(kernel: Function) -> Function:
    """Return *kernel* compiled; kept on disk between runs where a folder can be written to."""
    return cast("Function", numba.njit(cache=_KEPT is not None)(kernel))


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
