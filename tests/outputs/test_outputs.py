"""Outputs say what happened, once, and never hold up the loop."""

import logging
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from houses import NOON
from ohmstead.model import (
    Applied,
    BatteryCommand,
    BatteryMode,
    Command,
    CommandResult,
    Decision,
    Failed,
    LimitCommand,
    Refused,
    SettingChange,
    SiteSnapshot,
    Tick,
    Write,
)
from ohmstead.outputs.describe import describe, name_of
from ohmstead.outputs.log import log_ticks
from ohmstead.outputs.systemd import notify, notify_ticks

CHARGE = BatteryCommand(
    mode=BatteryMode.CHARGE, power_w=3_000, soc_pct=90, until=NOON + timedelta(hours=1)
)
CHANGE = SettingChange(device="inverter", point="charge_w", value=1_000)


def a_tick(command: BatteryCommand | None, *results: CommandResult) -> Tick:
    decision = Decision(at=NOON, command=command, reason="it is cheap", strategy="price")
    return Tick(snapshot=SiteSnapshot(at=NOON), decision=decision, results=results)


async def ticks(*given: Tick) -> AsyncIterator[Tick]:
    for tick in given:
        yield tick


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (CHARGE, "charge at 3000 W to 90 %"),
        (BatteryCommand(mode=BatteryMode.SELF_USE), "self_use"),
        (CHANGE, "set charge_w to 1000"),
        (LimitCommand(device="roof", power_w=600), "limit 600 W"),
        (LimitCommand(device="roof", power_w=None), "limit lifted"),
    ],
)
def test_a_command_in_a_few_words(command: Command, words: str) -> None:
    assert name_of(command) == words


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (Applied(device="inverter", command=CHANGE), "inverter: set charge_w to 1000: already so"),
        (
            Applied(
                device="inverter",
                command=CHANGE,
                wrote=(Write(point="charge_w", old=2_000, new=1_000),),
            ),
            "inverter: set charge_w to 1000: charge_w 2000 -> 1000",
        ),
        (
            Refused(device="inverter", command=CHANGE, why="out of range"),
            "inverter: set charge_w to 1000: nothing written: out of range",
        ),
        (
            Failed(device="inverter", command=CHANGE, why="silent"),
            "inverter: set charge_w to 1000: failed: silent",
        ),
    ],
)
def test_every_ending_has_its_sentence(result: CommandResult, sentence: str) -> None:
    assert describe(result) == sentence


async def test_the_log_says_what_is_new_and_only_once(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    applied = Applied(
        device="inverter", command=CHARGE, wrote=(Write(point="on", old=False, new=True),)
    )
    quiet = Applied(device="inverter", command=CHARGE)
    failed = Failed(device="inverter", command=CHARGE, why="silent")
    await log_ticks(
        ticks(
            a_tick(CHARGE, applied),
            a_tick(CHARGE, quiet),
            a_tick(CHARGE, failed),
            a_tick(CHARGE, failed),
            a_tick(None),
        )
    )
    assert [(r.levelname, r.getMessage()) for r in caplog.records] == [
        ("INFO", "decided: charge at 3000 W to 90 %, because it is cheap"),
        ("INFO", "inverter: charge at 3000 W to 90 %: on off -> on"),
        ("WARNING", "inverter: charge at 3000 W to 90 %: failed: silent"),
        ("INFO", "decided: the inverter is left to itself, because it is cheap"),
    ]


@pytest.mark.enable_socket  # a Unix socket
async def test_systemd_hears_that_we_are_ready_and_alive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        await notify_ticks(ticks(a_tick(None), a_tick(None)))
        assert manager.recv(200) == b"READY=1\nSTATUS=it is cheap\nWATCHDOG=1"
        assert manager.recv(200) == b"STATUS=it is cheap\nWATCHDOG=1"


@pytest.mark.enable_socket  # a Unix socket
def test_the_abstract_namespace_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0ohmstead-test")
        monkeypatch.setenv("NOTIFY_SOCKET", "@ohmstead-test")
        notify("STOPPING=1")
        assert manager.recv(200) == b"STOPPING=1"


@pytest.mark.enable_socket  # a Unix socket
def test_without_a_service_manager_nothing_happens(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify("READY=1")
