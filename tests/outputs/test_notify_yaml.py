"""What an owner writes about being told, and what is said when it is wrong."""

from datetime import time
from pathlib import Path

import pytest

from ohmstead.clock import SystemClock
from ohmstead.config import build
from ohmstead.config.load import load
from ohmstead.config.settings import Settings
from ohmstead.errors import ConfigError
from ohmstead.outputs.event import EventKind
from ohmstead.outputs.notify import NotifySettings
from ohmstead.outputs.notify_settings import QuietHours

SECRET = "s3cr3tt0ken"


def loaded(folder: Path, text: str) -> Settings:
    (folder / "ohmstead.yaml").write_text(text)
    (folder / "secrets.yaml").write_text(f"phone: tgram://{SECRET}/1\nbare: {SECRET}\n")
    return load(folder / "ohmstead.yaml", {})


def complaint(folder: Path, given: str) -> str:
    with pytest.raises(ConfigError) as told:
        loaded(folder, f"outputs:\n  - notify: {given}\n")
    assert SECRET not in str(told.value)
    return str(told.value)


def test_everything_that_can_be_said(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        """\
outputs:
  - notify:
      urls: [!secret phone]
      webhooks: ["http://127.0.0.1:1880/ohmstead"]
      events: [device_lost, decision_changed]
      quiet_hours: {start: "22:00", end: "07:00"}
      min_interval_s: 300
      battery_low_pct: null
      price_below_per_kwh: 0.05
""",
    )
    assert settings.outputs[0].settings == NotifySettings(
        urls=(f"tgram://{SECRET}/1",),
        webhooks=("http://127.0.0.1:1880/ohmstead",),
        events=(EventKind.DEVICE_LOST, EventKind.DECISION_CHANGED),
        quiet_hours=QuietHours(start=time(22), end=time(7)),
        min_interval_s=300,
        battery_low_pct=None,
        price_below_per_kwh=0.05,
    )
    assert SECRET not in repr(settings)
    assert [name for name, _ in build.outputs(settings, SystemClock())] == ["notify"]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("{}", "ohmstead.yaml:2: outputs[0].notify: say whom to tell"),
        ("{urls: [!secret bare]}", "url 1 is no Apprise address"),
        ("{url: [!secret phone]}", "unknown key 'url'; did you mean 'urls'?"),
        ("{urls: !secret phone}", "outputs[0].notify.urls: "),
        ("{webhooks: ['http://a'], events: [device_los]}", "notify.events[0]: should be "),
        ("{webhooks: ['http://a'], quiet_hours: {start: 22:00}}", "quiet_hours"),
        ("{webhooks: ['http://a'], quiet_hours: {start: '7:00', end: '7:00'}}", "quiet_hours"),
    ],
)
def test_what_is_wrong_is_said_without_the_address(given: str, says: str, tmp_path: Path) -> None:
    assert says in complaint(tmp_path, given)
