"""How a dongle misbehaves, on the wire and in its registers: every fault was seen on a real one."""

from random import Random
from typing import Final

from ohmstead.devices.givenergy.frames import INVERTER, Block, Function

__all__ = ["FAULTS", "distorted", "spoilt"]

FAULTS: Final = (
    # on the wire
    "silent",  # takes questions, gives no answers
    "lossy",  # three answers of ten never come
    "noisy",  # one answer of twenty is damaged
    "slow",  # answers, when nobody waits any more
    "wrong_crc",
    "zero_tail",  # the right beginning, then zeros, the check sum too
    "half_frame",  # the rest never comes
    "split",  # every answer in two pieces, noise before the first
    "duplicate",  # says everything twice
    "foreign",  # others' answers first
    "null",  # "the device did not answer"
    "error",  # an error with a count of zero, which fits no question
    "lan_config",  # its network address before every answer
    "deaf",  # echoes a write, and does not do it
    "drop",  # hangs up on every question, after having done what it asked
    "hangs",  # stops answering after too many questions in a row, until reconnected
    # in its registers
    "all_zero",  # pages of nothing
    "splice",  # half of a pack's page from another moment
    "substituted",  # a piece of a network packet instead of measurements
    "frozen",  # packs show what they showed when it began
    "soc_zero",  # an empty battery, all at once
    "clock_2000",  # a month 13 in the year 2000
    "counter_step",  # counters fall behind by a step
    "hertz_tenfold",
)

_PACKS: Final = range(0x32, 0x38)
_PACKET: Final = {28: 0x4C32, 30: 0xA119, 31: 0x34EA, 32: 0xE77F, 33: 0xD475, 35: 0x4500,
                  41: 0xC0A8, 43: 0xC0A8, 51: 0x8018}  # fmt: skip


def spoilt(octets: bytes, faults: set[str], random: Random) -> bytes:
    """Return *octets* as they leave a dongle that has *faults*."""
    if "duplicate" in faults:
        octets += octets
    if "wrong_crc" in faults:
        octets = octets[:-1] + bytes([octets[-1] ^ 1])
    if "zero_tail" in faults:
        octets = octets[:48] + bytes(max(len(octets) - 48, 0))
    if "half_frame" in faults:
        octets = octets[: len(octets) // 2]
    if "noisy" in faults and random.random() < 0.05:  # noqa: PLR2004 - one of twenty
        damaged = bytearray(octets)
        damaged[random.randrange(len(damaged))] ^= random.randrange(1, 256)
        octets = bytes(damaged)
    return octets


def distorted(block: Block, faults: set[str]) -> Block:
    """Return *block* with the registers that *faults* spoil; its check sum will be right."""
    words = list(block.words)
    whole = len(words) >= 60  # noqa: PLR2004 - a page
    inputs = block.function == Function.READ_INPUT
    measured = inputs and block.address == INVERTER and block.register == 0 and whole
    pack = inputs and block.address in _PACKS and whole
    if "all_zero" in faults and whole:
        words = [0] * len(words)
    if "substituted" in faults and whole:
        for place, word in _PACKET.items():
            words[place] = word
    if "splice" in faults and pack:
        words[16:20] = [0] * 4
        words[:8] = words[8:16][::-1]
        words[20] = words[20] // 2
    if measured and "soc_zero" in faults:
        words[59] = 0
    if measured and "hertz_tenfold" in faults:
        words[13] = min(words[13] * 10, 0xFFFF)
    if measured and "counter_step" in faults:
        for place in (12, 22, 33, 26):
            words[place] = max(words[place] - 1, 0)
    if "clock_2000" in faults and block.function == Function.READ_HOLD and block.register == 0:
        words[35:37] = [0, 13][: max(len(words) - 35, 0)]
    return Block(
        dongle=block.dongle,
        address=block.address,
        function=block.function,
        serial=block.serial,
        register=block.register,
        words=tuple(words),
    )
