"""Shares one command among several batteries."""

from collections.abc import Mapping
from dataclasses import replace

from ohmstead.model import BatteryCommand, BatteryMode, DeviceSnapshot

__all__ = ["shared"]

_CHARGES = (BatteryMode.CHARGE, BatteryMode.CHARGE_SOLAR, BatteryMode.HOLD)


def shared(
    command: BatteryCommand | None, devices: Mapping[str, DeviceSnapshot]
) -> Mapping[str, BatteryCommand | None]:
    """Return each device's part of *command*: the same mode, the power by what each can do."""
    if command is None or command.power_w is None or len(devices) <= 1:
        return dict.fromkeys(devices, command)
    able = {name: _most_w(device, command) for name, device in devices.items()}
    total = sum(able.values())
    return {
        name: replace(command, power_w=command.power_w * most / total if total else 0.0)
        for name, most in able.items()
    }


def _most_w(device: DeviceSnapshot, command: BatteryCommand) -> float:
    battery = device.reading.battery if device.reading else None
    if battery is None:
        return 0.0
    most = battery.max_charge_w if command.mode in _CHARGES else battery.max_discharge_w
    return 1.0 if most is None else most
