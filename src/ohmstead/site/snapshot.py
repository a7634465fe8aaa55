"""Puts what the devices said together into one picture of the house."""

from collections.abc import Iterable, Mapping, Sequence

from ohmstead.model import BatteryReading, ChargerReading, DeviceSnapshot, Reading

__all__ = ["battery_of", "chargers_of", "powers_of"]


def battery_of(devices: Mapping[str, DeviceSnapshot]) -> BatteryReading | None:
    """Return all batteries taken together, or None while none answers.

    Powers and capacities add up; the state of charge is weighted by capacity where every
    battery tells its own, else it is the mean.
    """
    batteries = [r.battery for r in _readings(devices) if r.battery is not None]
    if not batteries:
        return None
    if len(batteries) == 1:
        return batteries[0]
    weights = [b.capacity_kwh for b in batteries]
    shares = [1.0 if None in weights or not w else w for w in weights]
    levels = [b.soc_pct for b in batteries]
    known = [(s, level) for s, level in zip(shares, levels, strict=True) if level is not None]
    return BatteryReading(
        soc_pct=sum(s * v for s, v in known) / sum(s for s, _ in known) if known else None,
        power_w=_sum(b.power_w for b in batteries),
        capacity_kwh=_sum(weights),
        max_charge_w=_sum(b.max_charge_w for b in batteries),
        max_discharge_w=_sum(b.max_discharge_w for b in batteries),
    )


def chargers_of(devices: Mapping[str, DeviceSnapshot]) -> tuple[ChargerReading, ...]:
    """Return the car chargers that answer."""
    return tuple(r.charger for r in _readings(devices) if r.charger is not None)


def powers_of(
    devices: Mapping[str, DeviceSnapshot],
) -> tuple[float | None, float | None, float | None]:
    """Return (grid_w, pv_w, load_w).

    The grid is what the first device with a meter says: two meters of one connection would
    count it twice. The load is what is left over, or a device's own word where it is not.
    """
    readings = _readings(devices)
    grid_w = next((r.grid.power_w for r in readings if r.grid and r.grid.power_w is not None), None)
    pv_w = _sum(r.solar.power_w for r in readings if r.solar is not None)
    battery = battery_of(devices)
    loads = [r.load.power_w for r in readings if r.load and r.load.power_w is not None]
    if len(loads) == 1:
        return grid_w, pv_w, loads[0]
    if grid_w is None or (battery is not None and battery.power_w is None):
        return grid_w, pv_w, None
    rest_w = grid_w + (pv_w or 0.0) + ((battery.power_w or 0.0) if battery else 0.0)
    return grid_w, pv_w, max(rest_w, 0.0)


def _readings(devices: Mapping[str, DeviceSnapshot]) -> Sequence[Reading]:
    return [device.reading for device in devices.values() if device.reading is not None]


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known else None
