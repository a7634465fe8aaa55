"""The names of an off-grid power room: ``power_room_totals``, ``solar_charger_1`` and so on.

Boards were drawn for a script that wrote these without tags; they go on working. Chargers are the
devices that make solar power and nothing else. They are numbered within their family, in the order
of the configuration, so a silent one does not move the others. A sum of which a part is missing
is left out: a total that drops because a device fell silent looks like a cloud.
"""

from collections.abc import Iterator
from typing import Final

from ohmstead.model import Reading, SiteSnapshot
from ohmstead.outputs.influx_naming import News, number
from ohmstead.outputs.line_protocol import FieldValue, Line

__all__ = ["ranch_lines"]

_OUTPUT_W: Final = ("output_w", "inverter_w")
_CHARGE_W: Final = ("charge_w", "charger_w", "ac_charge_w", "rectifier_w")
_OUTPUT_A: Final = ("output_a", "inverter_a")
_CHARGE_A: Final = ("charge_a", "charger_a", "ac_charge_a")
_IN_THE_DARK_KW: Final = 0.010
"""Six chargers at night add up to a few watts of noise, which counts as none."""


def ranch_lines(news: News) -> list[Line]:
    """Return the totals of the power room and a line for each solar charger that is new."""
    snapshot = news.snapshot
    battery_v = next(
        (v for d in snapshot.devices.values() if (v := _value(d.reading, "battery_v")) is not None),
        None,
    )
    output_w, output_a = _sum(news, _OUTPUT_W), _sum(news, _OUTPUT_A)
    lines = {
        "mate3s": {
            "Inverter Current": output_a,
            "Battery Voltage": battery_v,
            # The script wrote the gateway's raw count, hundredths of a kilowatt.
            "Power Usage": None if output_w is None else output_w / 10,
        },
        "power_room_totals": {
            "total_output_current": output_a,
            "total_charge_current": _sum(news, _CHARGE_A),
            "battery_voltage": battery_v,
            "total_output_power_kw": _kw(output_w),
            "total_charge_power_kw": _kw(_sum(news, _CHARGE_W)),
            "total_load_power_kw": _kw(snapshot.load_w),
        },
        "solar_charger_total": {"power_kw": _solar_kw(snapshot)},
        "batteryPi": {"battery_voltage": battery_v, "battery_percent": snapshot.soc_pct},
    }
    totals = [
        Line(measurement=name, fields=_known(fields), at=snapshot.at)
        for name, fields in lines.items()
    ]
    return [*_chargers(news), *totals]


def _chargers(news: News) -> Iterator[Line]:
    families: dict[str, list[str]] = {}
    for device in news.snapshot.devices.values():
        families.setdefault(device.family, []).append(device.name)
    for device, reading in news.fresh:
        power_kw = _kw(reading.solar.power_w) if reading.solar else None
        if _only_solar(reading) and power_kw is not None:
            place = 1 + families[device.family].index(device.name)
            yield Line(
                measurement=f"solar_charger_{place}", fields={"power_kw": power_kw}, at=reading.at
            )


def _solar_kw(snapshot: SiteSnapshot) -> float | None:
    """Return what all chargers make, or None unless every one of them has said so."""
    families = {d.family for d in snapshot.devices.values() if d.reading and _only_solar(d.reading)}
    readings = [d.reading for d in snapshot.devices.values() if d.family in families]
    powers_w = [r.solar.power_w if r and r.solar else None for r in readings]
    total_kw = _kw(_whole_sum(powers_w))
    return 0.0 if total_kw is not None and total_kw < _IN_THE_DARK_KW else total_kw


def _only_solar(reading: Reading) -> bool:
    return reading.solar is not None and reading.battery is None and reading.grid is None


def _sum(news: News, keys: tuple[str, ...]) -> float | None:
    """Add up the first of *keys* that each device has; None where one that has it is silent."""
    return _whole_sum([
        _value(device.reading, key)
        for name, device in news.snapshot.devices.items()
        if (key := next((k for k in keys if k in news.points.get(name, ())), None)) is not None
    ])  # fmt: skip


def _whole_sum(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _value(reading: Reading | None, key: str) -> float | None:
    return None if reading is None else number(reading.values, key)


def _kw(power_w: float | None) -> float | None:
    return None if power_w is None else power_w / 1_000


def _known(fields: dict[str, float | None]) -> dict[str, FieldValue]:
    return {name: float(value) for name, value in fields.items() if value is not None}
