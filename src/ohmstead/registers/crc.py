"""The check sum that nearly every device of this field puts behind its frames."""

import struct
from functools import cache

__all__ = ["crc16"]


def crc16(data: bytes) -> int:
    """Return the CRC-16/MODBUS of *data*.

    >>> hex(crc16(b"123456789"))
    '0x4b37'
    """
    table = _crc_table()
    crc = 0xFFFF
    for word in struct.unpack_from(f"<{len(data) // 2}H", data):
        crc = table[crc ^ word]
    if len(data) % 2:
        crc = crc >> 8 ^ table[((crc ^ data[-1]) & 0xFF) << 8]
    return crc


@cache
def _crc_table() -> tuple[int, ...]:
    """Return what 16 zero bits make of every register: a whole word in one step.

    The polynomial is A001, reflected. A CRC is linear, so 2 x 256 entries give all 65,536.
    """
    low = [_shifted(value, 16) for value in range(256)]
    high = [_shifted(value << 8, 16) for value in range(256)]
    return tuple(one ^ other for one in high for other in low)


def _shifted(register: int, bits: int) -> int:
    for _ in range(bits):
        register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register
