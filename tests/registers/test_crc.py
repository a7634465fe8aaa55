"""The CRC-16 of Modbus, against its published check value and a bit-by-bit reckoning."""

from hypothesis import given
from hypothesis import strategies as st

from ohmstead.registers import crc16


def test_the_check_value_is_the_published_one() -> None:
    assert crc16(b"123456789") == 0x4B37


@given(st.binary(max_size=300))
def test_it_is_what_going_through_the_bits_gives(data: bytes) -> None:
    crc = 0xFFFF
    for octet in data:
        crc ^= octet
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
    assert crc16(data) == crc
