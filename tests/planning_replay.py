"""An own replay of answers to refopt-problem/1, from the file and the printed answer alone."""

from collections.abc import Mapping
from typing import Any

import pytest

__all__ = ["replayed_objective"]

CLOSE = 1e-6


def replayed_objective(document: Mapping[str, Any], slots: list[dict[str, Any]]) -> float:
    """Return what the printed flows cost; every limit and balance must hold."""
    battery, grid, block = document["battery"], document["grid"], document["inverter"]
    hours, energy, cost, car_kwh = document["slot_minutes"] / 60, battery["e_init"], 0.0, 0.0
    car, cap = document["ev"] or {"min_kw": 0.0, "max_kw": 0.0}, battery["e_max"]
    series = document["series"]
    for index, slot in enumerate(slots):
        power, meter, down = slot["battery"], slot["grid"], slot["curtailed"]
        assert -battery["charge_max_kw"] - CLOSE <= power <= battery["discharge_max_kw"] + CLOSE
        assert -grid["export_max_kw"] - CLOSE <= meter <= grid["import_max_kw"] + CLOSE
        assert -CLOSE <= down <= series["pv_kw"][index] + CLOSE
        bus = power + series["pv_kw"][index] - down
        given = through_inverter(block, bus) if block else bus
        taken = meter + given - series["load_kw"][index]
        if taken > CLOSE:
            assert car["first_slot"] <= index <= car["last_slot"]
            assert car["min_kw"] - CLOSE <= taken <= car["max_kw"] + CLOSE
        assert taken >= -CLOSE
        car_kwh += taken * hours
        if power > 0:
            energy -= power * hours / battery["eta_discharge"]
        else:
            energy -= power * hours * battery["eta_charge"]
        assert battery["e_min"] - CLOSE <= energy <= cap + CLOSE
        assert energy == pytest.approx(slot["soc"], abs=CLOSE)
        price = series["import_price"][index] if meter > 0 else series["export_price"][index]
        cost += hours * (meter * price + max(power, 0.0) * battery["cycle_cost_per_kwh"])
    assert energy == pytest.approx(battery["terminal"]["energy_kwh"], abs=CLOSE)
    assert car_kwh == pytest.approx((document["ev"] or {"energy_kwh": 0.0})["energy_kwh"], abs=1e-5)
    return cost


def through_inverter(block: Mapping[str, float], bus: float) -> float:
    """Return what reaches the house when *bus* is left on the DC side."""
    given = bus * block["eta_dc_ac"] if bus > 0 else bus / block["eta_ac_dc"]
    assert -block["ac_in_max_kw"] - CLOSE <= given <= block["ac_out_max_kw"] + CLOSE
    return given
