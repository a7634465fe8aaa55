"""The register tables of the LuxPower family, model by model.

The same word means per cent on a small inverter and hundreds of watts on a large one, so
nothing may be scaled before the model is known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ohmstead.devices.luxpower.holdings import HOLDINGS, HUNDREDS_OF_WATTS
from ohmstead.devices.luxpower.inputs import INPUTS, WIDE_AMPERES
from ohmstead.registers import RegisterTable

__all__ = ["COMMON", "MODELS", "TABLES", "Model", "model_of", "tables_for"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What one kind of inverter of this family has, and how it counts."""

    name: str
    title: str
    rated_w: float
    """What its battery side can do; the owner may know better."""
    inputs: RegisterTable
    holdings: RegisterTable
    device_types: frozenset[int]
    """What holding register 19 says."""
    firmware: frozenset[str]
    """What the firmware's name begins with."""

    @property
    def in_watts(self) -> bool:
        """Tell whether its powers are set in watts; otherwise in per cent of the rated one."""
        return "ac_charge_power_w" in self.holdings


def _upto(table: RegisterTable, end: int) -> RegisterTable:
    """Return the rows of *table* that lie before *end*."""
    rows = tuple(row for row in table if row.addresses.stop <= end)
    return RegisterTable(table.family, rows, table.space)


def _shared(one: RegisterTable, other: RegisterTable) -> RegisterTable:
    """Return the rows that both tables have."""
    rows = tuple(row for row in one if row in other.rows)
    return RegisterTable(one.family, rows, one.space)


_SMALL_INPUTS: Final = _upto(INPUTS, 160)
_SMALL_HOLDINGS: Final = _upto(HOLDINGS, 200)
_LARGE_INPUTS: Final = INPUTS.replacing(*WIDE_AMPERES)
_LARGE_HOLDINGS: Final = HOLDINGS.replacing(*HUNDREDS_OF_WATTS)

_ACS_3600: Final = Model(
    name="acs_3600",
    title="LuxPower ACS 3600 or LXP 3.6K to 6K",
    rated_w=3_600,
    inputs=_SMALL_INPUTS,
    holdings=_SMALL_HOLDINGS,
    device_types=frozenset(range(32)) - {12},
    firmware=frozenset({"BAAA"}),
)
_LXP_12K: Final = Model(
    name="lxp_12k",
    title="LuxPower LXP 8K to 12K",
    rated_w=12_000,
    inputs=_LARGE_INPUTS,
    holdings=_LARGE_HOLDINGS,
    device_types=frozenset({12, 44}),
    firmware=frozenset({"FAAB"}),
)
_EG4_12KPV: Final = Model(
    name="eg4_12kpv",
    title="EG4 12kPV, 18kPV or FlexBOSS",
    rated_w=12_000,
    inputs=_LARGE_INPUTS,
    holdings=_LARGE_HOLDINGS,
    device_types=frozenset({2092, 10284}),
    firmware=frozenset({"EAAB"}),
)

MODELS: Final[Mapping[str, Model]] = MappingProxyType(
    {model.name: model for model in (_ACS_3600, _LXP_12K, _EG4_12KPV)}
)
COMMON: Final = Model(
    name="unknown",
    title="LuxPower or EG4",
    rated_w=0,
    inputs=_shared(_SMALL_INPUTS, _LARGE_INPUTS),
    holdings=_shared(_SMALL_HOLDINGS, _LARGE_HOLDINGS),
    device_types=frozenset(),
    firmware=frozenset(),
)
"""What every model has, and counts alike."""
TABLES: Final = (_SMALL_INPUTS, _SMALL_HOLDINGS, _LARGE_INPUTS, _LARGE_HOLDINGS)


def tables_for(model: str) -> Mapping[str, RegisterTable]:
    """Return the tables of the model called *model*, by address space."""
    return {table.space: table for table in (MODELS[model].inputs, MODELS[model].holdings)}


def model_of(device_type: int, firmware: str | None) -> Model | None:
    """Return the model that calls itself so, or None if it is not one we know."""
    for model in MODELS.values():
        if firmware is not None and firmware[:4] in model.firmware:
            return model
    for model in MODELS.values():
        if device_type in model.device_types:
            return model
    return None
