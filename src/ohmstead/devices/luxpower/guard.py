"""What stands between a misread word and the inverter's protection bits."""

from typing import Final

from ohmstead.errors import DeviceProtocolError, NotWritable

__all__ = ["check_enable_word"]

_ENABLES: Final = 21
_OURS: Final = 1 << 7 | 1 << 10 | 1 << 11
"""AC charge, forced discharge, charge priority: all that automation has to do with."""
_ALWAYS: Final = 1 << 4 | 1 << 9
"""Anti-islanding, and the bit that keeps the inverter running: set in every healthy one."""


def check_enable_word(device: str, register: int, present: int, wanted: int) -> None:
    """Raise unless *wanted* differs from a healthy *present* in nothing but our own bits.

    Older software once took a length byte for half of this word, and wrote back what was left
    of it: with protection bits cleared.
    """
    if register != _ENABLES:
        return
    if present & _ALWAYS != _ALWAYS:
        raise DeviceProtocolError(
            device,
            f"register {_ENABLES} reads {present:#06x}, without anti-islanding or in standby;"
            " nothing is written over that",
        )
    if (present ^ wanted) & ~_OURS:
        raise NotWritable(f"{device}: {present:#06x} to {wanted:#06x} would change protection")
