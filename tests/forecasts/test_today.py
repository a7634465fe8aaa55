"""Today's measurements move the next hours, fade, and know no midnight."""

import pytest

from ohmstead.forecasts.today import drift, fading

NOW = 1_000_000
USUAL = dict.fromkeys(range(NOW - 100, NOW + 100), 400.0)


def ratio(measured: dict[int, float], inertia_w: float = 100) -> float:
    return drift(measured, USUAL, NOW, memory_h=2, inertia_w=inertia_w)


@pytest.mark.parametrize(
    ("measured", "least", "most"),
    [
        pytest.param({}, 1.0, 1.0, id="nothing measured"),
        pytest.param(dict(USUAL), 1.0, 1.0, id="as usual"),
        pytest.param(dict.fromkeys(range(NOW - 50, NOW), 800.0), 1.6, 2.0, id="twice as much"),
        pytest.param(dict.fromkeys(range(NOW - 50, NOW), 0.0), 0.4, 0.5, id="nobody at home"),
        pytest.param({NOW - 1: 800.0}, 1.2, 1.6, id="one quarter is not believed whole"),
        pytest.param({NOW: 9_000.0, NOW + 1: 9_000.0}, 1.0, 1.0, id="the future is not known"),
    ],
)
def test_drift(measured: dict[int, float], least: float, most: float) -> None:
    assert least <= ratio(measured) <= most


def test_the_latest_counts_most() -> None:
    early = {q: 400.0 if q > NOW - 8 else 800.0 for q in range(NOW - 16, NOW)}
    late = {q: 800.0 if q > NOW - 8 else 400.0 for q in range(NOW - 16, NOW)}
    assert ratio(late) > ratio(early) > 1


def test_a_house_of_no_use_and_no_doubt_is_as_it_is() -> None:
    assert drift({NOW - 1: 0}, {NOW - 1: 0}, NOW, memory_h=2, inertia_w=0) == 1


def test_it_fades_with_the_hours() -> None:
    moved = [fading(1.5, ahead, 4) for ahead in (0, 4, 16, 64, 288)]
    assert moved == sorted(moved, reverse=True)
    assert moved[0] == 1.5
    assert moved[-1] == pytest.approx(1, abs=1e-4)
