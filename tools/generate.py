"""Writes what is generated from the tables and settings; with --check, says what is out of date."""

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from ohmstead.config.catalogue import FAMILIES
from ohmstead.config.schema import json_schema
from ohmstead.model import (
    Button,
    Choice,
    Instant,
    Point,
    Range,
    Switch,
    Text,
    TimeOfDay,
    Writable,
)
from ohmstead.registers import Register

WORDS: Mapping[type, str] = {
    Switch: "on, off",
    TimeOfDay: "HH:MM",
    Instant: "date and time",
    Button: "press",
}
DOCS = Path(__file__).parents[1] / "docs"


def main() -> int:
    """Write the files, or compare them; return the exit status."""
    check = "--check" in sys.argv[1:]
    stale = [path for path, text in files() if not up_to_date(path, text, check=check)]
    for path in stale:
        print(f"{path.relative_to(DOCS.parent)} is out of date: run `make docs` and commit it")
    return 1 if stale else 0


def files() -> Iterator[tuple[Path, str]]:
    """Yield every generated file with its text."""
    yield DOCS / "ohmstead.schema.json", json.dumps(json_schema(), indent=1) + "\n"
    rows = [
        f"| [{family.title}](devices/{family.name}.md) | `{family.name}` | "
        f"[points](devices/{family.name}.registers.md) |"
        for family in FAMILIES.values()
    ]
    head = "# Supported devices\n\nGenerated from the catalogue.\n\n"
    head += "| device | `family:` | |\n|---|---|---|\n"
    yield DOCS / "supported-devices.md", head + "\n".join(rows) + "\n"
    for family in FAMILIES.values():
        yield DOCS / "devices" / f"{family.name}.registers.md", page(family.name)


def page(name: str) -> str:
    """Return the page of a family's registers."""
    family = FAMILIES[name]
    lines = [
        f"# {family.title}: points",
        "",
        "Generated from the register tables. A point without a range is read-only; those marked",
        "*opt-in* can be written only with `allow_configuration: true` on the device.",
    ]
    if not family.tables and any(point.writable for point in family.points.values()):
        lines[2:] = [
            "What it tells, and what may be changed on it.",
            "",
            "| point | unit | what | write |",
            "|---|---|---|---|",
            *(
                f"| `{p.key}` | {p.unit or ''} | {p.label} | {writing(p)} |"
                for p in family.points.values()
            ),
        ]
    elif not family.tables:
        lines[2:] = [
            "What it measures, under the keys it has by any link. Settings come on top, as the",
            "device's own list has them.",
            "",
            "| point | unit | what |",
            "|---|---|---|",
            *(f"| `{p.key}` | {p.unit or ''} | {p.label} |" for p in family.points.values()),
        ]
    for table in family.tables:
        lines += ["", f"## {table.family}: {table.space}", ""]
        lines += [
            "| register | point | unit | what | write | also known as |",
            "|---|---|---|---|---|---|",
        ]
        lines += [row(register) for register in table]
    return "\n".join(lines) + "\n"


def row(register: Register) -> str:
    """Return one line of a page."""
    point = register.point
    last = register.addresses[-1]
    where = str(register.address) + (f"–{last}" if last > register.address else "")
    return (
        f"| {where} | `{point.key}` | {point.unit or ''} | {point.label} | {writing(point)} "
        f"| {register.aka} |"
    )


def writing(point: Point) -> str:
    """Return what may be written to a point."""
    said = allowed(point.writable)
    return f"{said}, *opt-in*" if said and point.opt_in else said


def allowed(writable: Writable | None) -> str:
    """Return a writable in words."""
    match writable:
        case None:
            return ""
        case Range(low=low, high=high):
            return f"{low:g} to {high:g}"
        case Choice(options=options):
            return ", ".join(options)
        case Text(length=length):
            return f"{length} characters"
        case Switch() | TimeOfDay() | Instant() | Button():
            return WORDS[type(writable)]


def up_to_date(path: Path, text: str, *, check: bool) -> bool:
    """Tell whether *path* holds *text*; unless only checking, make it so."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return True
    if not check:
        path.write_text(text, encoding="utf-8")
    return not check


if __name__ == "__main__":
    sys.exit(main())
