"""Shares one command among several batteries."""

from collections.abc import Mapping
from dataclasses import replace

from ohmstead.model import Ahead, BatteryCommand, BatteryMode, DeviceSnapshot

__all__ = ["shared"]

_CHARGES = (BatteryMode.CHARGE, BatteryMode.CHARGE_SOLAR, BatteryMode.HOLD)


def shared(
    command: BatteryCommand | None, devices: Mapping[str, DeviceSnapshot]
) -> Mapping[str, BatteryCommand | None]:
    """Return each device's part of *command*: the same mode, the power by what each can do."""
    if command is None or len(devices) <= 1:
        return dict.fromkeys(devices, command)
    shares = _shares(devices, charges=command.mode in _CHARGES)
    coming = _shares(devices, charges=True)
    return {
        name: replace(
            command,
            power_w=_part(command.power_w, share),
            ahead=command.ahead and _part_ahead(command.ahead, coming[name]),
        )
        for name, share in shares.items()
    }


def _shares(devices: Mapping[str, DeviceSnapshot], *, charges: bool) -> Mapping[str, float]:
    able = {name: _most_w(device, charges=charges) for name, device in devices.items()}
    total = sum(able.values())
    return {name: most / total if total else 0.0 for name, most in able.items()}


def _part(power_w: float | None, share: float) -> float | None:
    return None if power_w is None else power_w * share


def _part_ahead(ahead: Ahead, share: float) -> Ahead:
    return replace(ahead, power_w=_part(ahead.power_w, share), most_w=_part(ahead.most_w, share))


def _most_w(device: DeviceSnapshot, *, charges: bool) -> float:
    battery = device.reading.battery if device.reading else None
    if battery is None:
        return 0.0
    most = battery.max_charge_w if charges else battery.max_discharge_w
    return 1.0 if most is None else most
