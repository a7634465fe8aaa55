"""What forecasts cost in memory and time, and how good they are in the simulated house."""

import math
import random
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import fmean, median
from time import perf_counter
from zoneinfo import ZoneInfo

from ohmstead.forecasts import quarters
from ohmstead.forecasts.days_off import days_off
from ohmstead.forecasts.learned import FORETOLD, Past, learn
from ohmstead.forecasts.load import habits
from ohmstead.forecasts.panels import Air, ArraySettings, Panels
from ohmstead.forecasts.quarters import Told
from ohmstead.forecasts.sun import Light, Place, Sun, clear_light, sun_at
from ohmstead.forecasts.today import drift, fading
from ohmstead.simulation.load import HouseLoad, LoadSettings
from ohmstead.simulation.sun import Sky
from tables import print_table

ZONE = ZoneInfo("Europe/London")
LONDON = Place(latitude=51.5, longitude=-0.1)
BEGIN = datetime(2026, 3, 2, tzinfo=ZONE).astimezone(UTC)
DAYS = 70
SEEDS = (1, 2, 3, 4)
PANELS = Panels([ArraySettings(kwp=4.2, azimuth=215)])
IMPORTS = {
    "nothing": "pass",
    "the service's own list (httpx2, pydantic)": "import httpx2, pydantic",
    "  + forecasts": "import httpx2, pydantic; from ohmstead.forecasts import open_meteo, "
    "load_history",
    "numpy": "import numpy",
    "pvlib": "import pvlib",
    "holidays": "import holidays; holidays.country_holidays('DE')",
}
PROBE = """
import time
began = time.perf_counter()
{0}
took = time.perf_counter() - began
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(took, int(status["VmHWM"].split()[0]) / 1024)
"""


def main() -> None:
    """Print four tables."""
    imports()
    times()
    load_skill()
    sun_skill()


def imports() -> None:
    """Show what it costs to have a library at all."""
    rows = []
    for name, code in IMPORTS.items():
        runs = [
            subprocess.run(  # noqa: S603 - our own
                [sys.executable, "-c", PROBE.format(code)],
                check=True, capture_output=True, text=True,
            ).stdout.split()
            for _ in range(5)
        ]  # fmt: skip
        seconds, megabytes = (median(float(run[n]) for run in runs) for n in (0, 1))
        rows.append([name, f"{seconds:.2f}", f"{megabytes:.0f}"])
    print_table("To import", ("what", "s", "MB at most"), rows)


def times() -> None:
    """Show how long it takes to learn, and to tell."""
    used = {q: watts for q, watts in house(1).items() if q < quarters.of(BEGIN) + 42 * 96}
    present = max(used) + 1
    off = days_off("GB-ENG")
    known = habits(used, present, ZONE, off, 2_700)
    told, lessons = roof(1)
    del told
    rows = [
        ["load: habits of 42 days", took(lambda: habits(used, present, ZONE, off, 2_700))],
        ["load: 72 h of quarters", took(lambda: [known.expected(present + n) for n in range(288)])],
        ["sun: learn from 30 days", took(lambda: learn(lessons[-2_880:], 4_200, FORETOLD))],
        ["sun: 72 h of clear sky", took(lambda: [sky(present + n) for n in range(288)])],
    ]
    print_table("Time", ("what", "ms"), rows)


def took(work: Callable[[], object]) -> str:
    """Return the median of some runs, in ms."""
    runs = []
    for _ in range(7):
        began = perf_counter()
        work()
        runs.append(perf_counter() - began)
    return f"{1_000 * median(runs):.1f}"


# ---- load ---------------------------------------------------------------------------------


def house(seed: int) -> dict[int, float]:
    """Return the simulated house's load by quarter."""
    load = HouseLoad(LoadSettings(), ZONE, seed)
    first = quarters.of(BEGIN)
    return {
        first + n: fmean(load.watts((first + n) * 900.0 + 60 * m) for m in range(0, 15, 3))
        for n in range(DAYS * 96)
    }


def load_skill() -> None:
    """Compare habits with simpler rules, each midnight for the day to come."""
    off = days_off("GB-ENG")
    errors: dict[str, list[float]] = {}
    days_wrong: dict[str, list[float]] = {}
    inside: dict[str, list[bool]] = {}
    for seed in SEEDS:
        used = house(seed)
        for day in range(29, DAYS - 1):
            start = quarters.of(BEGIN) + day * 96
            true = [used[start + n] for n in range(96)]
            rules: dict[str, Sequence[float]] = {
                "yesterday": [used[start + n - 96] for n in range(96)],
                "the same day a week ago": [used[start + n - 7 * 96] for n in range(96)],
                "the mean of 28 days": [
                    fmean(used[start + n - 96 * back] for back in range(1, 29)) for n in range(96)
                ],
            }
            for back in (1, 7, 28):
                seen = {q: used[q] for q in range(start - back * 96, start)}
                known = habits(seen, start, ZONE, off, 2_700)
                told = [known.expected(start + n) for n in range(96)]
                name = f"habits of {back} day{'s' if back != 1 else ''}"
                rules[name] = [t.middle_w for t in told]
                inside.setdefault(name, []).extend(covered(told, true))
            for name, said in rules.items():
                errors.setdefault(name, []).append(half_hours_off(said, true))
                days_wrong.setdefault(name, []).append(abs(sum(said) - sum(true)) / sum(true))
    rows = [
        [
            name,
            f"{fmean(found):.0f}",
            f"{100 * fmean(days_wrong[name]):.1f}",
            f"{100 * fmean(inside[name]):.0f}" if name in inside else "",
        ]
        for name, found in errors.items()
    ]
    print_table(
        f"Load, {len(SEEDS)} houses, {DAYS - 30} days each, from midnight on",
        ("rule", "W off per half-hour", "% off per day", "% between p10 and p90"),
        rows,
    )
    in_the_day()


def in_the_day() -> None:
    """Show what today's measurements are worth on days that differ from all others."""
    off, plain, moved = days_off("GB-ENG"), list[float](), list[float]()
    for seed in SEEDS:
        used = house(seed)
        unusual = random.Random(seed)  # noqa: S311 - the same days each run
        for day in range(29, DAYS - 1):
            start = quarters.of(BEGIN) + day * 96
            share = unusual.choice((0.5, 0.7, 1.0, 1.0, 1.4, 1.8))
            today = {q: used[q] * share for q in range(start, start + 96)}
            known = habits({q: used[q] for q in range(start - 28 * 96, start)}, start, ZONE, off, 1)
            usual = {q: known.expected(q).middle_w for q in today}
            now = start + 48
            ratio = drift(today, usual, now, memory_h=3, inertia_w=0.6 * known.level_w)
            after = range(now, now + 24)
            true = [today[q] for q in after]
            plain.append(half_hours_off([usual[q] for q in after], true))
            moved.append(
                half_hours_off([usual[q] * fading(ratio, q - now, 5) for q in after], true)
            )
    print_table(
        "Load at noon for six hours, on days that run at 50 to 180 %",
        ("rule", "W off per half-hour"),
        [
            ["habits", f"{fmean(plain):.0f}"],
            ["habits, moved by today", f"{fmean(moved):.0f}"],
        ],
    )


# ---- sun ----------------------------------------------------------------------------------


def sky(quarter: int) -> tuple[Sun, Light]:
    """Return the sun and a cloudless sky's light in the middle of *quarter*."""
    moment = quarters.begin(quarter) + timedelta(minutes=7.5)
    sun = sun_at(moment, LONDON)
    return sun, clear_light(sun, moment, LONDON)


def roof(seed: int) -> tuple[Mapping[int, float], list[Past]]:
    """Return what was told of a roof, and its lessons: 15 % less than told, and a chimney."""
    clouds = Sky(seed)
    luck = random.Random(seed)  # noqa: S311 - the same days each run
    told, lessons = dict[int, float](), list[Past]()
    first = quarters.of(BEGIN)
    for day in range(DAYS):
        mood = luck.gauss(1, 0.15)
        for n in range(96):
            quarter = first + day * 96 + n
            sun, light = sky(quarter)
            clear_w = PANELS.power_w(sun, light, Air())
            if clear_w <= 0:
                continue
            at = quarter * 900.0 + 450
            shares = [clouds.beam_share(at + step * 1_800) for step in (-4, -2, 0, 2, 4)]
            told[quarter] = clouded_w(sun, light, min(max(mood * fmean(shares), 0.02), 1))
            made = clouded_w(sun, light, clouds.beam_share(at))
            made *= 0.3 if 150 < sun.azimuth < 175 else 0.85
            lessons.append(
                Past(float(first + DAYS * 96 - quarter), sun, told[quarter], clear_w, made)
            )
    return told, lessons


def clouded_w(sun: Sun, light: Light, share: float) -> float:
    """Return the panels' power while *share* of the beam gets through."""
    beam = light.beam_w * share
    diffuse = light.diffuse_w + 0.3 * light.beam_w * (1 - share) * sun.up
    return PANELS.power_w(sun, Light(beam * sun.up + diffuse, beam, diffuse), Air())


def sun_skill() -> None:
    """Compare what was told with what was made of it, after some days of learning."""
    rows: dict[str, tuple[list[float], list[float], list[bool]]] = {}
    for seed in SEEDS:
        _, lessons = roof(seed)
        last = quarters.of(BEGIN) + DAYS * 96
        for day in range(31, DAYS):
            end = quarters.of(BEGIN) + day * 96
            today = [p for p in lessons if 0 <= last - p.age - end < 96]
            true = [p.measured_w for p in today]
            add(rows, "as told", [Told(0, p.told_w, 0) for p in today], true)
            for back in (0, 1, 7, 30):
                past = [
                    p._replace(age=p.age - (last - end))
                    for p in lessons
                    if end - back * 96 <= last - p.age < end
                ]
                known = learn(past, PANELS.most_w, FORETOLD)
                told = [
                    known.corrected(Told(0, p.told_w, 0), p.sun, p.clear_w, own_spread=False)
                    for p in today
                ]
                add(rows, f"learnt from {back} day{'s' if back != 1 else ''}", told, true)
    print_table(
        f"Sun, {len(SEEDS)} skies, {DAYS - 31} days each: a roof that makes 85 %, with a chimney",
        ("rule", "W off per half-hour", "% off per day", "% between p10 and p90"),
        [
            [name, f"{fmean(off):.0f}", f"{100 * fmean(days):.0f}", f"{100 * fmean(inside):.0f}"]
            for name, (off, days, inside) in rows.items()
        ],
    )


def add(
    rows: dict[str, tuple[list[float], list[float], list[bool]]],
    name: str,
    told: Sequence[Told],
    true: Sequence[float],
) -> None:
    """Note how one day went."""
    off, days, inside = rows.setdefault(name, ([], [], []))
    said = [t.middle_w for t in told]
    off.append(half_hours_off(said, true))
    days.append(abs(sum(said) - sum(true)) / sum(true))
    inside.extend(covered(told, true))


def half_hours_off(said: Sequence[float], true: Sequence[float]) -> float:
    """Return the mean error of half-hours, in watts."""
    pairs = [
        (said[n] + said[n + 1] - true[n] - true[n + 1]) / 2 for n in range(0, len(said) - 1, 2)
    ]
    return math.fsum(map(abs, pairs)) / len(pairs)


def covered(told: Sequence[Told], true: Sequence[float]) -> list[bool]:
    """Return of each quarter whether it lay between low and high."""
    return [t.low_w <= watts <= t.high_w for t, watts in zip(told, true, strict=True)]


if __name__ == "__main__":
    main()
