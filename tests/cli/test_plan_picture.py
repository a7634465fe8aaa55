"""The plan as a picture: whole, readable, and in need of no other file."""

import os
import re
import struct
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from houses import LONDON, NOON
from ohmstead.cli import cli
from ohmstead.cli.plan_files import page, png, write_file
from ohmstead.cli.plan_picture import DARK, LIGHT, picture, style_of
from ohmstead.errors import OhmsteadError
from ohmstead.model import BatteryMode, Plan, PlanSlot

PROBLEMS = Path(__file__).parents[1] / "planner" / "problems"
SVG = "{http://www.w3.org/2000/svg}"
HALF = timedelta(minutes=30)


def a_slot(
    n: int, mode: BatteryMode, battery_w: float = 0, per_kwh: float = 0.3, soc_pct: float = 50,
    reason: str = "because", start: datetime = NOON,
) -> PlanSlot:  # fmt: skip
    return PlanSlot(
        start=start + n * HALF, end=start + (n + 1) * HALF, mode=mode, power_w=None,
        target_pct=soc_pct, battery_w=battery_w, grid_w=400 - battery_w, pv_w=100, load_w=500,
        soc_pct=soc_pct, import_per_kwh=per_kwh, export_per_kwh=0.15, cost=0.1,
        worth_per_kwh=0.2, reason=reason,
    )  # fmt: skip


def a_plan(*slots: PlanSlot) -> Plan:
    return Plan(made_at=NOON, slots=slots, cost=1, saved=0.5, gap=0, made_of="<all> & nothing")


EVERY_MODE = a_plan(
    *(a_slot(n, mode, 300 * n - 900, n / 10, 10 * n) for n, mode in enumerate(BatteryMode))
)


def drawn(plan: Plan, zone: ZoneInfo = LONDON) -> ET.Element:
    return ET.fromstring(picture(plan, zone, style_of(LIGHT)))  # noqa: S314 - we wrote it


def words(svg: ET.Element) -> list[str]:
    return ["".join(text.itertext()) for text in svg.iter(f"{SVG}text")]


class TestThePicture:
    def test_each_span_is_a_band_that_says_why(self) -> None:
        titles = [t.text or "" for t in drawn(EVERY_MODE).iter(f"{SVG}title")][1:]
        assert len(titles) == len(BatteryMode)
        assert titles[1].startswith("Sun 13:30–14:00 charge, £0.10: because")

    def test_the_key_names_every_mode_and_every_line(self) -> None:
        said = words(drawn(EVERY_MODE))
        for word in ("charge", "discharge", "hold", "idle", "sun", "house", "import price"):
            assert word in said

    def test_every_mode_has_colours_by_day_and_by_night(self) -> None:
        for colours in (LIGHT, DARK):
            assert len({colours[mode.value] for mode in BatteryMode}) == len(BatteryMode)

    def test_midnight_tells_the_day_on_the_owner_s_clock(self) -> None:
        slots = [a_slot(n, BatteryMode.HOLD) for n in range(48)]
        assert "Mon 22 Jun" in words(drawn(a_plan(*slots)))
        tokyo = words(drawn(a_plan(*slots), ZoneInfo("Asia/Tokyo")))
        assert "The plan from Sun 21:00 until Mon 21:00" in tokyo

    def test_an_hour_that_the_clocks_skip_is_no_trouble(self) -> None:
        eve = NOON.replace(month=3, day=28, hour=22)
        said = words(drawn(a_plan(*(a_slot(n, BatteryMode.HOLD, start=eve) for n in range(16)))))
        assert "00:00" in said
        assert "01:00" not in said

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(list(BatteryMode)),
                st.floats(-20_000, 20_000),
                st.floats(-2, 3),
                st.floats(0, 100),
            ),
            min_size=1,
            max_size=20,
        )
    )
    def test_nothing_leaves_the_picture(
        self, rows: list[tuple[BatteryMode, float, float, float]]
    ) -> None:
        svg = drawn(a_plan(*(a_slot(n, *row) for n, row in enumerate(rows))))
        for path in svg.iter(f"{SVG}path"):
            for x, y in re.findall(r"[ML]([-\d.]+) ([-\d.]+)", path.get("d", "")):
                assert 0 <= float(x) <= 1000
                assert 0 <= float(y) <= 600
        for text in svg.iter(f"{SVG}text"):
            assert 0 <= float(text.get("y", "")) <= 600


class TestThePage:
    def test_it_needs_no_other_file(self) -> None:
        said = page(EVERY_MODE, LONDON).replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|src=|href=|@import|url\(|<script", said)

    def test_it_is_dark_where_the_owner_likes_it_dark(self) -> None:
        said = page(EVERY_MODE, LONDON)
        assert "prefers-color-scheme: dark" in said
        assert DARK["ground"] in said

    def test_every_span_and_every_slot_has_its_reason(self) -> None:
        slots = [a_slot(n, BatteryMode.HOLD, reason=f"for the {n}th time") for n in range(6)]
        said = page(a_plan(*slots), LONDON)
        assert "All 6 slots" in said
        assert all(f"for the {n}th time" in said for n in range(6))

    def test_what_was_said_elsewhere_is_no_markup_here(self) -> None:
        plan = a_plan(a_slot(0, BatteryMode.HOLD, reason="<script>alert('x')</script>"))
        said = page(plan, LONDON)
        assert "<script" not in said
        assert "&lt;all&gt; &amp; nothing" in said

    def test_a_problem_becomes_a_page(self, tmp_path: Path) -> None:
        path, file = PROBLEMS / "problem_e_go_ev_30m.json", tmp_path / "e.html"
        result = CliRunner().invoke(cli, ["plan", "--problem", str(path), "--html", str(file)])
        assert result.exit_code == 0, result.output
        assert result.output.startswith("{")
        assert "the car takes" in file.read_text()


class TestThePng:
    def test_it_is_twice_the_size_and_has_words(self) -> None:
        try:
            image = png(EVERY_MODE, LONDON)
        except OhmsteadError as exc:
            if "CI" in os.environ:
                raise
            pytest.skip(str(exc))
        assert image.startswith(b"\x89PNG")
        assert struct.unpack(">II", image[16:24]) == (2_000, 1_200)

    def test_without_the_pictures_it_says_what_to_install(self, tmp_path: Path) -> None:
        """In a process of its own, where the package cannot be had."""
        problem = PROBLEMS / "problem_c_go_window_30m.json"
        program = (
            "import sys; sys.modules['resvg_py'] = None; from ohmstead.cli import main; "
            f"sys.argv = ['ohmstead', 'plan', '--problem', {str(problem)!r}, "
            f"'--png', {str(tmp_path / 'x.png')!r}]; main()"
        )
        said = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", program], capture_output=True, text=True, check=False
        )
        assert said.returncode == 1
        assert "pip install 'ohmstead[pictures]'" in said.stderr
        assert not (tmp_path / "x.png").exists()

    def test_a_file_that_cannot_be_written_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(OhmsteadError, match=r"x\.png cannot be written: No such file"):
            write_file(tmp_path / "nowhere" / "x.png", b"")
