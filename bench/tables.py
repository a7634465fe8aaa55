"""A table in plain text, as every bench prints one."""

from collections.abc import Sequence

__all__ = ["print_table"]


def print_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print *rows* under *columns*, the first column to the left, all others to the right."""
    widths = [max(len(cells[n]) for cells in (columns, *rows)) for n in range(len(columns))]
    print(f"\n{title}")
    for cells in (columns, ["-" * width for width in widths], *rows):
        first, *others = (
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(cells, widths, strict=True))
        )
        print("  ".join([first, *others]))
