"""What simulated inverters hold when they are switched on: the words real ones showed.

Sources: the captures under tests/devices/givenergy/; serial numbers are nobody's. Where no
capture reaches, the values an owner would find from the factory.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["IMAGES", "Image"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One model as it comes out of the box."""

    device_type: int
    firmware: int
    serial: str
    hybrid: bool
    holding_ranges: tuple[range, ...]
    """The registers it answers for; those it does not model read zero."""
    input_ranges: tuple[range, ...]
    silent_ports: bool = False
    """Whether it says nothing about registers from 300 on; others refuse."""
    phantoms: bool = False
    """Whether addresses of packs that are not there answer with leftovers."""
    meters: int = 0


_SINGLE: Final = (range(240),)
_TEN: Final = (range(300),)
_PORT: Final = (range(300, 360),)
_INPUTS: Final = (range(300),)
_THREE: Final = (range(1000, 1180),)
_THREE_INPUTS: Final = (range(240), range(1000, 1440))

IMAGES: Final[Mapping[str, Image]] = MappingProxyType({
    "hybrid_gen1": Image(device_type=0x2001, firmware=449, serial="SA2114G001", hybrid=True,
                         holding_ranges=_SINGLE, input_ranges=_INPUTS, silent_ports=True,
                         phantoms=True),
    "hybrid_gen2": Image(device_type=0x2003, firmware=920, serial="EA2302G001", hybrid=True,
                         holding_ranges=_SINGLE + _PORT, input_ranges=_INPUTS, meters=1),
    "hybrid_gen3_two_slots": Image(device_type=0x2001, firmware=302, serial="FA2333G001",
                                   hybrid=True, holding_ranges=_SINGLE + _PORT,
                                   input_ranges=_INPUTS),
    "hybrid_gen3": Image(device_type=0x2001, firmware=310, serial="FD2345G001", hybrid=True,
                         holding_ranges=_TEN + _PORT, input_ranges=_INPUTS, meters=1),
    "ac_coupled": Image(device_type=0x3001, firmware=282, serial="CE2231G001", hybrid=False,
                        holding_ranges=_SINGLE + _PORT, input_ranges=_INPUTS, phantoms=True),
    "all_in_one": Image(device_type=0x8001, firmware=620, serial="CH2414G001", hybrid=False,
                        holding_ranges=_TEN + _PORT, input_ranges=_INPUTS),
    "hybrid_3ph": Image(device_type=0x4004, firmware=110, serial="TC2337G001", hybrid=True,
                        holding_ranges=_TEN + _THREE, input_ranges=_THREE_INPUTS, meters=2),
    "pv_only": Image(device_type=0x2301, firmware=210, serial="PV2401G001", hybrid=True,
                     holding_ranges=_SINGLE, input_ranges=_INPUTS),
    "ems": Image(device_type=0x5001, firmware=1036, serial="EM2522G001", hybrid=True,
                 holding_ranges=(range(60), range(2040, 2100)),
                 input_ranges=(range(2040, 2100),)),
    "gateway": Image(device_type=0x7001, firmware=16, serial="GW2405G001", hybrid=False,
                     holding_ranges=_TEN + _PORT, input_ranges=(*_INPUTS, range(1600, 1900))),
})  # fmt: skip
