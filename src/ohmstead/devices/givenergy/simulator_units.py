"""Simulated battery packs, stacks and meters: the pages behind a simulated inverter."""

import math
from random import Random
from typing import Final

from ohmstead.devices.givenergy.units import BMS, METER, MODULE, PACK, PACK_CONTROL, STACK
from ohmstead.registers import RegisterBank
from ohmstead.simulation import House, chance

__all__ = ["Meter", "Packs", "Stack"]

_PACK_V: Final = 51.2
_DRIFT_V: Final = 0.004
_MODULE_CELLS: Final = 24
_SENSORS: Final = 12


class Packs:
    """Low-voltage packs side by side, each with cells that drift by themselves."""

    def __init__(self, count: int, seed: int) -> None:
        """Make *count* packs."""
        self.banks = [RegisterBank(PACK) for _ in range(count)]
        self.control = RegisterBank(PACK_CONTROL)
        self._chances = [chance("pack", seed, n) for n in range(count)]
        self._offsets = [[random.gauss(0, _DRIFT_V) for _ in range(16)] for random in self._chances]

    def live(self, house: House, soc_pct: float, second: float) -> None:
        """Show *house*'s battery as it is now."""
        battery, count = house.battery, len(self.banks)
        if not count:
            return
        mean_v = battery.voltage_v / battery.settings.cells
        amp_hours = 1000 * battery.capacity_kwh / count / _PACK_V
        for n, (bank, offsets) in enumerate(zip(self.banks, self._offsets, strict=True)):
            cells = [_cell(mean_v, offset, place, second) for place, offset in enumerate(offsets)]
            warm_c = battery.temperature_c + 0.3 * n
            sensors = [warm_c - 0.3, warm_c, warm_c + 0.4, warm_c + 0.1]
            bank.show(
                **{f"cell_{place:02}_v": volts for place, volts in enumerate(cells, 1)},
                **{
                    f"cells_{4 * place + 1:02}_{4 * place + 4:02}_c": warm
                    for place, warm in enumerate(sensors)
                },
                cells_v=sum(cells),
                mosfet_c=warm_c + 3,
                out_v=sum(cells) + 0.2,
                capacity_ah=0.99 * amp_hours,
                design_capacity_ah=amp_hours,
                other_design_capacity_ah=amp_hours,
                remaining_ah=0.99 * amp_hours * battery.soc_pct / 100,
                current_a=max(min(battery.current_a / count, 300), -300),
                cycles=212 + int(battery.cycles),
                cell_count=16,
                firmware=3017,
                soc_pct=round(soc_pct),
                warmest_c=max(sensors),
                coldest_c=min(sensors),
                charge_total_kwh=1_204.3 + house.totals.charged_kwh / count,
                discharge_total_kwh=1_117.9 + house.totals.discharged_kwh / count,
                serial=f"DF2244G{n + 1:03}",
                usb_device="disk",
            )
        self.control.show(
            status_1=1,
            status_2=0,
            request_charge_a=round(battery.max_charge_w / battery.voltage_v),
            request_discharge_a=round(battery.max_discharge_w / battery.voltage_v),
        )


class Stack:
    """One high-voltage stack, its controller and its modules."""

    def __init__(self, modules: int, seed: int) -> None:
        """Make a stack of *modules*."""
        self.bms = RegisterBank(BMS)
        self.controller = RegisterBank(STACK)
        self.modules = [RegisterBank(MODULE) for _ in range(modules)]
        random = chance("stack", seed)
        self._offsets = [_drawn(random) for _ in range(modules)]
        self.bms.show(
            stack_count=1,
            module_count=modules,
            cell_count=_MODULE_CELLS * modules,
            sensor_count=_SENSORS * modules,
        )

    def live(self, house: House, soc_pct: float, second: float) -> None:
        """Show *house*'s battery as it is now."""
        battery, count = house.battery, len(self.modules)
        mean_v = battery.voltage_v / battery.settings.cells
        volts = mean_v * _MODULE_CELLS * count
        amps = battery.cell_w / volts
        status = "standby" if abs(amps) < 0.1 else ("discharging" if amps > 0 else "charging")  # noqa: PLR2004 - nothing to speak of
        self.controller.show(
            firmware="BAAA",
            module_count=count,
            cell_count=_MODULE_CELLS * count,
            sensor_count=_SENSORS * count,
            status=status,
            battery_v=volts,
            load_v=volts + 0.3,
            current_a=amps,
            power_w=battery.cell_w,
            lowest_soc_pct=round(soc_pct),
            highest_soc_pct=round(soc_pct),
            soh_pct=97,
            charge_total_kwh=2_060.5 + house.totals.charged_kwh,
            discharge_total_kwh=1_401.4 + house.totals.discharged_kwh,
            charge_today_kwh=house.day.charged_kwh,
            discharge_today_kwh=house.day.discharged_kwh,
            capacity_ah=1000 * battery.capacity_kwh / volts,
            remaining_ah=1000 * battery.stored_kwh / volts,
            cycles_factor=49.5 + battery.cycles,
            least_discharge_v=254.4,
            most_charge_v=348.5,
        )
        for n, (bank, offsets) in enumerate(zip(self.modules, self._offsets, strict=True)):
            bank.show(
                **{
                    f"cell_{place + 1:02}_v": _cell(mean_v, offset, place, second)
                    for place, offset in enumerate(offsets)
                },
                **{
                    f"cell_{place + 1:02}_c": battery.temperature_c + 0.1 * place - 0.2 * n
                    for place in range(_SENSORS)
                },
                serial=f"HX2414G{n + 1:03}",
            )


class Meter:
    """The meter at the grid connection; it counts what it exports positive."""

    def __init__(self) -> None:
        """Make one."""
        self.bank = RegisterBank(METER)

    def live(self, house: House, volts: float, hertz: float) -> None:
        """Show what flows over the grid connection of *house*."""
        amps = abs(house.grid_w) / volts
        self.bank.show(
            phase_1_v=volts,
            phase_1_a=amps,
            total_a=amps,
            phase_1_w=_short(house.grid_w),
            power_w=_short(house.grid_w),
            phase_1_va=min(abs(house.grid_w), 6_500),
            apparent_va=min(abs(house.grid_w), 6_500),
            phase_1_power_factor=1.0,
            power_factor=1.0,
            frequency_hz=hertz,
            import_total_kwh=(5_243.4 + house.totals.import_kwh) % 6_553.5,
            export_total_kwh=(1_499.4 + house.totals.export_kwh) % 6_553.5,
        )


def _drawn(random: Random) -> list[float]:
    return [random.gauss(0, _DRIFT_V) for _ in range(_MODULE_CELLS)]


def _cell(mean_v: float, offset: float, place: int, second: float) -> float:
    return mean_v + offset + 0.002 * math.sin(second / 3_000 + place)


def _short(watts: float) -> float:
    return max(min(watts, 32_000), -32_000)
