"""How a datalogger misbehaves on the wire: every fault was seen on a real one."""

from random import Random
from typing import Final

__all__ = ["FAULTS", "spoilt"]

FAULTS: Final = (
    "silent",  # takes questions, gives no answers, says nothing of its own
    "slow",  # answers, when nobody waits any more
    "garbled",  # damaged bytes, and more of them between the frames
    "half_frame",  # the rest never comes
    "wrong_crc",
    "deaf",  # says yes to a write, and does not do it
    "foreign",  # others' replies first: the app's, the cloud's, another inverter's
    "drop",  # hangs up on every question, after having done what it asked
    "stale_at_connect",  # begins with a piece of an old frame, and a whole one
    "busy",  # answers with error code 6
    "duplicate",  # says everything twice
)


def spoilt(octets: bytes, faults: set[str], random: Random) -> bytes:
    """Return *octets* as they leave a datalogger that has *faults*."""
    if "duplicate" in faults:
        octets += octets
    if "wrong_crc" in faults:
        octets = octets[:-1] + bytes([octets[-1] ^ 1])
    if "half_frame" in faults:
        octets = octets[: len(octets) // 2]
    if "garbled" in faults:
        damaged = bytearray(octets)
        for _ in range(3):
            # Behind the prefix, where a decoder has believed it already.
            place = random.randrange(2, len(damaged))
            damaged[place] ^= random.randrange(1, 256)
        octets = b"\xa1" + random.randbytes(random.randrange(8)) + bytes(damaged)
    return octets
