"""What simulated inverters hold when they are switched on: the words real ones showed.

Sources: the captures under tests/devices/luxpower/; serial numbers are left out. Where no
capture reaches, the values an owner would find in the manual.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

__all__ = ["IMAGES", "Image"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One model as it comes out of the box."""

    protocol: int
    heartbeat: int
    """The byte in its datalogger's heartbeats."""
    block_limit: int
    """How many registers it gives in one answer."""
    blocks: tuple[int, ...]
    """The lengths of the blocks it broadcasts."""
    holdings: Mapping[int, int]
    inputs: Mapping[int, int]
    holdings_end: int
    """The first holding register it does not know."""
    inputs_end: int
    refuses_eps: bool = False
    """Whether it refuses bit 0 of registers 21 and 110, as AC-coupled models do."""


def _words(first: int, text: str) -> dict[int, int]:
    return {first + place: int(word, 16) for place, word in enumerate(text.split())}


def _slots_and_limits(power: int) -> dict[int, int]:
    """Return holding registers 80 to 233 as a large model has them from the factory."""
    return {
        82: power, 83: 20, 90: 230, 91: 50, 99: 560, 100: 400, 101: 200, 102: 200,
        103: 255, 105: 10, 110: 0, 116: 50, 120: 0, 125: 10, 160: 90, 161: 100,
        227: 100, 253: 5, 254: 20, 257: 0x3B17, 260: 550,
    }  # fmt: skip


_ACS_HOLDINGS_0: Final = """
8a86 0001 0000 0000 0000 0000 0000 4142 4141 0a01 010a 0000 0414 1007 310e 0001
0001 0000 0000 0004 0000 f354 04b0
"""
_ACS_HOLDINGS_80: Final = """
0000 0000 0064 0014 0000 0000 0000 0000 0000 0000 00e6 0032 096f 08fc 0014 0005
0000 0000 0000 0230 0190 0042 0042 0000 0000 000a ff38 0226 0000 0190 0002 0000
0000 0000
"""
_ACS_INPUTS_0: Final = """
0010 0000 0000 0000 01f1 005f 2f00 0000 0000 0000 0000 0279 09ac 0001 0000 1392
0239 0000 00e3 03e8 09ac 0b00 7050 1392 0000 0000 0000 0000 00dd 0000 0000 002a
0049 0056 0034 0000 0024 0002 0eac 0bb5
"""
_ACS_INPUTS_40: Final = """
4553 0000 0000 0000 0000 0000 26b3 0000 2d2b 0000 3369 0000 2f2c 0000 0000 0000
055f 0000 2e3f 0000 0000 0000 0000 0000 0030 0024 0025 0000 0000 8823 00e0 0000
0000 0000 0000 0000 0000 0000 0000 0000
"""
_ACS_INPUTS_80: Final = """
0011 19c8 19c8 0217 0190 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000
0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 0000 020f 0000 0000 0000 0000
0000 0000 0000 0000 0000 0000 0000 0000
"""
_EG4_HOLDINGS_0: Final = """
8240 0009 0000 0000 0000 0000 0000 4145 4241 2003 0121 0001 0319 1514 032b 0001
0001 0000 0000 082c 0007 7ad5 07d0 012c 012c 0898 09d8 1194 1964 0840 0a50 0834
0514 04b0 0b40 00c8 0010 04b0 0b40 00c8 0010 0a50 1194 1964 7530 7530 1194 1964
0010 0010 1194 1964 0010 0010 002c 0930 08a0 0990 0a20 0000 0064 0064 03e8 03e8
0064 0064 0032 0050 0015 0007 0000 0000 0000 0000 0050 0064 0000 3b17 0000 0000
"""
_LXP_HOLDINGS_0: Final = """
0ac0 0009 0000 0000 0000 0000 0000 4146 4241 1c03 011c 0001 0819 0d01 2914 0001
0001 0000 0000 002c 0004 7255 07d0 012c 012c 0898 09d8 173e 177a 0840 0a50 0834
0514 04b0 0b40 00c8 0010 04b0 0b40 00c8 0010 0a50 16da 17e8 7530 7530 1612 1838
0010 0010 1612 1838 0010 0010 002c 0930 08a0 0990 0a20 0000 0064 0064 03e8 03e8
0064 0064 0078 0064 0000 0000 0000 0000 0000 0000 0078 0064 0000 3b17 0000 0000
"""
_LARGE_INPUTS_0: Final = """
0000 0005 0001 0000 0204 6419 0200 0000 0000 0000 0000 0000 09a5 0005 0008 176e
0000 0000 0000 03e8 09ae 0000 3060 176e 0000 0000 0000 010e 0000 0000 0000 0000
0032 0032 0038 0036 0000 0048 0ecf 0c35 0000 0000 0000 0000 0000 0000 0000 0000
0275 0000 027a 0000 01de 0000 01df 0000 0000 0000 032c 0000 0000 0000 0000 0000
0029 0033 0029 0002 0000 9e4b 000e 0000 0000 0000 0000 0000 0000 00e0 1449 0001
0002 07d0 07d0 0230 01c2 0000 0000 0000 0000 0000 00c0 0000 0000 0000 0000 0003
0001 0118 fff3 0000 0000 0ca3 0c9c 00e6 00dc 0000 0006 0204 0197 0000 0000 0000
0000 0105 010e 0000 0000 0000 0000 0000 0784 0000 0000 0000 0000 0000 0000
"""

_ACS_3600: Final = Image(
    protocol=2,
    heartbeat=0,
    block_limit=40,
    blocks=(40, 40, 40),
    refuses_eps=True,
    holdings_end=240,
    inputs_end=240,
    holdings={
        **_words(0, _ACS_HOLDINGS_0),
        23: 300, 24: 300, 64: 100, 65: 100, 66: 100, 67: 100, 69: 0x3B17, 74: 100, 75: 100,
        **_words(80, _ACS_HOLDINGS_80),
    },
    inputs={
        **_words(0, _ACS_INPUTS_0),
        **_words(40, _ACS_INPUTS_40),
        **_words(80, _ACS_INPUTS_80),
    },
)  # fmt: skip
_LARGE_INPUTS: Final = {
    **_words(0, _LARGE_INPUTS_0),
    127: 1240, 128: 1238, 133: 54, 134: 54, 135: 479, 137: 479, 140: 1243, 141: 1240, 143: 15,
    145: 8256, 146: 7, 147: 2816, 148: 2817, 170: 270, 171: 76, 172: 760, 236: 1, 237: 4,
    241: 1, 242: 300, 244: 1, 245: 512, 252: 240, 253: 5, 254: 20, 257: 15127, 260: 550,
}  # fmt: skip


def _large(holdings: Mapping[int, int]) -> Image:
    return Image(
        protocol=5,
        heartbeat=5,
        block_limit=127,
        blocks=(127, 127, 127),
        holdings=holdings,
        inputs=_LARGE_INPUTS,
        holdings_end=400,
        inputs_end=381,
    )


IMAGES: Final[Mapping[str, Image]] = MappingProxyType(
    {
        "acs_3600": _ACS_3600,
        "lxp_12k": _large(_words(0, _LXP_HOLDINGS_0) | _slots_and_limits(120)),
        "eg4_12kpv": _large(_words(0, _EG4_HOLDINGS_0) | _slots_and_limits(80)),
    }
)
"""By the name of the model."""
