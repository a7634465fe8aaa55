"""Frames read as their senders meant them, and what we send is what others send."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ohmstead.devices.givenergy.frames import (
    INVERTER,
    Block,
    Frame,
    FrameDecoder,
    Function,
    Heartbeat,
    LanConfig,
    Null,
    Refusal,
    Request,
    Stored,
)
from ohmstead.registers import crc16

_DATA = json.loads((Path(__file__).parent / "vectors.json").read_text())
VECTORS = {
    name: [bytes.fromhex(frame) for frame in vector["frames"]]
    for name, vector in _DATA["vectors"].items()
}
WORDS = {name: tuple(vector.get("words", ())) for name, vector in _DATA["vectors"].items()}
REQUESTS = {title: bytes.fromhex(octets) for title, octets in _DATA["requests"].items()}

MARK = b"\x59\x59\x00\x01"
LONGEST = 306

HOLD, INPUT, WRITE = Function.READ_HOLD, Function.READ_INPUT, Function.WRITE


def ask(address: int, function: int, register: int, value: int) -> Request:
    return Request(
        address=address, function=function, register=register, value=value, dongle="AB1234G567"
    )


BUILT: dict[str, Frame] = {
    "IR(0,60)@0x11": ask(0x11, INPUT, 0, 60),
    "IR(180,60)@0x11": ask(0x11, INPUT, 180, 60),
    "HR(60,60)@0x11": ask(0x11, HOLD, 60, 60),
    "HR(120,60)@0x11": ask(0x11, HOLD, 120, 60),
    "battery 1 IR(60,60)@0x32": ask(0x32, INPUT, 60, 60),
    "battery 2 IR(60,60)@0x33": ask(0x33, INPUT, 60, 60),
    "HV config IR(60,5)@0xA0": ask(0xA0, INPUT, 60, 5),
    "BCU IR(60,60)@0x70": ask(0x70, INPUT, 60, 60),
    "BMU IR(60,60)@0x50": ask(0x50, INPUT, 60, 60),
    "EMS IR(2040,55)@0x11": ask(0x11, INPUT, 2040, 55),
    "meter product 0x16(60,60)@0x01": ask(0x01, Function.READ_PRODUCT, 60, 60),
    "write HR20=1": ask(INVERTER, WRITE, 20, 1),
    "write HR96=1": ask(INVERTER, WRITE, 96, 1),
    "write HR94=30 (00:30)": ask(INVERTER, WRITE, 94, 30),
    "write HR95=430 (04:30)": ask(INVERTER, WRITE, 95, 430),
    "write HR116=80": ask(INVERTER, WRITE, 116, 80),
    "write HR111=50": ask(INVERTER, WRITE, 111, 50),
    "write HR27=0": ask(INVERTER, WRITE, 27, 0),
    "write HR163=100": ask(INVERTER, WRITE, 163, 100),
    "write-ack HR116=80 (adapter WF1234G567, inverter SA1234G567, true padding 0x12)": Stored(
        dongle="WF1234G567", address=0x11, serial="SA1234G567", register=116, word=80
    ),
    "error to write HR318=2": Refusal(
        dongle="WF1234G567",
        address=0x11,
        function=6,
        serial="SA1234G567",
        register=318,
        value=2,
    ),
}
"""What each title of the document's table of requests means."""


def block(
    dongle: str, address: int, function: int, serial: str, register: int, words: tuple[int, ...]
) -> Block:
    return Block(
        dongle=dongle,
        address=address,
        function=function,
        serial=serial,
        register=register,
        words=words,
    )


def refusal(serial: str, address: int, register: int, value: int, dongle: str) -> Refusal:
    return Refusal(
        dongle=dongle, address=address, function=4, serial=serial, register=register, value=value
    )


GEN1 = ("SA2114G000", "WF2125G000")
KNOWN: dict[str, list[Frame]] = {
    "V1": [Heartbeat(dongle="WJ2414G000"), Heartbeat(dongle="AB1234G000")],
    "V2": [Request(function=3, register=0, value=60, dongle="AB1234G000")],
    "V3": [ask(0x32, 6, 20, 1)],
    "V4": [
        Stored(dongle="WF1234G567", address=0x32, serial="SA1234G567", register=35, word=0x223C)
    ],
    "V5": [ask(0x11, 3, 0, 60)],
    "V6": [
        ask(0x32, 4, 0, 6),
        block("WF1234G567", 0x32, 4, "SA1234E567", 0, (1, 3054, 3029, 3881, 0, 2389)),
    ],
    "V7": [block("WG2302G000", 0x11, 3, "EA2302G000", 0, WORDS["V7"])],
    "V8": [block("WG2302G000", 0x11, 3, "EA2302G000", 60, WORDS["V8"])],
    "V9": [block("WG2302G000", 0x11, 4, "EA2302G000", 0, WORDS["V9"])],
    "V10": [block("WG2302G000", 0x32, 4, "EA2302G000", 60, WORDS["V10"])],
    "V11": [block("WG2302G000", 0x01, 4, "EA2302G000", 60, WORDS["V11"])],
    "V12": [block("WT2337G000", 0x11, 3, "TC2337G000", 1110, (1,))],
    "V13": [block("WJ2414G000", 0xA0, 4, "HC2414G000", 60, (0, 1, 4, 96, 48))],
    "V14": [block("WJ2414G000", 0x70, 4, "HC2414G000", 60, WORDS["V14"])],
    "V15": [block("WJ2414G000", 0x50, 4, "HX0000G000", 60, WORDS["V15"])],
    "V16": [block("FO2522G000", 0x11, 3, "EMS2522000", 2040, WORDS["V16"])],
    "V17": [block("FO2522G000", 0x11, 4, "EMS2522000", 2040, WORDS["V17"])],
    "V18": [block("WT2337G000", 0x02, 0x16, "TC2337G000", 60, WORDS["V18"])],
    "V19": [block("WF2125G000", 0x34, 4, "SA2114G000", 60, WORDS["V19"])],
    "V20": [
        Refusal(
            dongle="WJ2414G000",
            address=0x11,
            function=3,
            serial="CH2414G000",
            register=1100,
            value=60,
        )
    ],
    "V21": [
        refusal(GEN1[0], 0x31, 180, 0, GEN1[1]),
        refusal(GEN1[0], 0x32, 60, 0, GEN1[1]),
        refusal(GEN1[0], 0x32, 236, 60, GEN1[1]),
        refusal(GEN1[0], 0x31, 0, 0, GEN1[1]),
    ],
    "V22": [refusal("SA1234E567", 0x32, 0, 120, "WF1234G567")],
    "V23": [Null(dongle="WF2125G000", address=0x33)],
    "V24": [],
    "V25": [],
    "V26": [LanConfig(dongle="WO0000G000", text="000.000.0.00,000.000.000.0,000.000.0.0")],
}
"""What the document says each vector is."""


def fed(*pieces: bytes) -> list[Frame]:
    decoder = FrameDecoder()
    return [frame for piece in pieces for frame in decoder.feed(piece)]


def resealed(octets: bytes) -> bytes:
    """Return *octets* with the check sum they ought to have."""
    return octets[:-2] + crc16(octets[26:-2]).to_bytes(2, "little")


# ---- one frame -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", KNOWN)
def test_a_frame_says_what_it_is_known_to_say(name: str) -> None:
    assert fed(b"".join(VECTORS[name])) == KNOWN[name]


DIFFERENT = {
    "V4": "its padding is sloppy",
    "V5": "an application asks with unit 0",
    "V24": "dropped",
    "V25": "dropped",
    "V26": "the text was made anonymous, its check sum was not",
}


@pytest.mark.parametrize("name", sorted(KNOWN.keys() - DIFFERENT.keys()))
def test_what_is_said_is_encoded_to_the_same_bytes(name: str) -> None:
    assert [frame.to_bytes() for frame in KNOWN[name]] == VECTORS[name]


@pytest.mark.parametrize("title", REQUESTS)
def test_what_we_send_is_what_others_send(title: str) -> None:
    assert BUILT[title].to_bytes() == REQUESTS[title]
    assert fed(REQUESTS[title]) == [BUILT[title]]


def test_every_vector_is_spoken_of() -> None:
    assert set(KNOWN) | {"V27", "V28"} == set(VECTORS)
    assert set(BUILT) == set(REQUESTS)


@pytest.mark.parametrize("name", ["V24", "V25"])
def test_a_tail_of_zeros_is_dropped_and_counted_and_the_next_frame_is_not(name: str) -> None:
    decoder = FrameDecoder()
    assert decoder.feed(VECTORS[name][0] + VECTORS["V9"][0]) == KNOWN["V9"]
    assert dict(decoder.dropped) == {"check sum": 1}
    assert len(decoder) == 0


@pytest.mark.parametrize(
    ("number", "check"), [(0, "c255"), (1, "b5d2")], ids=["the request", "its answer"]
)
def test_the_wrong_check_sums_of_an_old_fixture_are_wrong(number: int, check: str) -> None:
    good = VECTORS["V6"][number]
    decoder = FrameDecoder()
    assert decoder.feed(good[:-2] + bytes.fromhex(check)) == []
    assert dict(decoder.dropped) == {"check sum": 1}


@pytest.mark.parametrize(
    ("inner", "wire"),
    [
        ("11030000003c", "474b"),
        ("0116003c003c", "8814"),
        ("11040000003c", "f28b"),
    ],
)
def test_the_check_sum_goes_out_low_byte_first(inner: str, wire: str) -> None:
    assert crc16(bytes.fromhex(inner)).to_bytes(2, "little").hex() == wire


@pytest.mark.parametrize("name", [name for name in KNOWN if name not in {"V1", "V23", "V26"}])
def test_one_wrong_bit_behind_the_head_is_noticed(name: str) -> None:
    for whole in VECTORS[name]:
        for bit in range(26 * 8, len(whole) * 8):
            broken = bytearray(whole)
            broken[bit // 8] ^= 1 << bit % 8
            assert not any(isinstance(f, Block | Stored | Request) for f in fed(bytes(broken)))


# ---- the eight bytes called padding --------------------------------------------------------


@pytest.mark.parametrize("title", REQUESTS)
def test_the_padding_we_send_is_how_long_the_rest_is(title: str) -> None:
    octets = BUILT[title].to_bytes()
    assert int.from_bytes(octets[18:26], "big") == len(octets) - 26


@pytest.mark.parametrize(
    ("count", "padding"), [(1, 0x14), (5, 0x1C), (6, 0x1E), (30, 0x4E), (36, 0x5A), (60, 0x8A)]
)
def test_an_answer_of_so_many_words_has_this_padding(count: int, padding: int) -> None:
    octets = block("WF1234G567", 0x11, 4, "SA1234G567", 0, (0,) * count).to_bytes()
    assert octets[18:26] == padding.to_bytes(8, "big")


@pytest.mark.parametrize("padding", [0, 8, 0x12, 0x8A, 1 << 63])
@pytest.mark.parametrize("name", ["V2", "V9", "V20", "V23"])
def test_the_padding_of_others_is_not_looked_at(name: str, padding: int) -> None:
    octets = VECTORS[name][0]
    assert fed(octets[:18] + padding.to_bytes(8, "big") + octets[26:]) == KNOWN[name]


# ---- lengths -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frame", "length", "size"),
    [
        pytest.param(Heartbeat(dongle="WF1234G567"), 0x0D, 19, id="heartbeat"),
        pytest.param(ask(0x11, 3, 0, 60), 0x1C, 34, id="read"),
        pytest.param(ask(0x11, 6, 20, 1), 0x1C, 34, id="write"),
        pytest.param(
            Stored(dongle="WF1234G567", address=0x11, serial="SA1234G567", register=20, word=1),
            0x26,
            44,
            id="stored",
        ),
        pytest.param(refusal("SA1234G567", 0x11, 0, 60, "WF1234G567"), 0x26, 44, id="error"),
        pytest.param(Null(dongle="WF1234G567", address=0x33), 0x9E, 164, id="null"),
        *(
            pytest.param(
                block("WF1234G567", 0x11, 3, "SA1234G567", 0, (7,) * count),
                38 + 2 * count,
                44 + 2 * count,
                id=f"{count} words",
            )
            for count in (1, 5, 30, 36, 55, 60)
        ),
    ],
)
def test_a_frame_is_as_long_as_the_cheat_sheet_says(frame: Frame, length: int, size: int) -> None:
    octets = frame.to_bytes()
    assert (int.from_bytes(octets[4:6], "big"), len(octets)) == (length, size)
    assert fed(octets) == [frame]


@pytest.mark.parametrize("count", [0, 59, 61, 0xFFFF])
def test_an_answer_that_lies_about_its_words_is_dropped(count: int) -> None:
    lying = bytearray(VECTORS["V9"][0])
    lying[40:42] = count.to_bytes(2, "big")
    decoder = FrameDecoder()
    assert decoder.feed(resealed(bytes(lying)) + VECTORS["V7"][0]) == KNOWN["V7"]
    assert dict(decoder.dropped) == {"length": 1}


@pytest.mark.parametrize("size", [36, 37, 43, 45, 47, 163])
def test_a_frame_of_an_odd_size_is_dropped(size: int) -> None:
    octets = VECTORS["V9"][0]
    short = octets[:4] + (size - 6).to_bytes(2, "big") + octets[6:size]
    assert fed(resealed(short), VECTORS["V7"][0]) == KNOWN["V7"]


def test_what_nobody_does_with_registers_is_dropped() -> None:
    octets = bytearray(VECTORS["V4"][0])
    octets[27] = 5
    decoder = FrameDecoder()
    assert decoder.feed(resealed(bytes(octets)) + VECTORS["V7"][0]) == KNOWN["V7"]
    assert dict(decoder.dropped) == {"function": 1}


def test_a_serial_number_longer_than_ten_characters_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="10 characters, not 11"):
        Heartbeat(dongle="WF1234G5678").to_bytes()


def test_a_shorter_serial_number_is_filled_up() -> None:
    octets = block("WF1234G567", 0x11, 4, "SA12", 0, (1,)).to_bytes()
    assert octets[28:38] == b"SA12\0\0\0\0\0\0"
    (frame,) = fed(octets)
    assert isinstance(frame, Block)
    assert frame.serial == "SA12"


# ---- the head ------------------------------------------------------------------------------


def headed(name: str, place: int, octets: bytes) -> bytes:
    whole = VECTORS[name][0]
    return whole[:place] + octets + whole[place + len(octets) :]


@pytest.mark.parametrize("unit", [0, 1])
def test_both_units_that_are_in_use_are_heard(unit: int) -> None:
    assert fed(headed("V9", 6, bytes([unit]))) == KNOWN["V9"]


@pytest.mark.parametrize(
    "broken",
    [
        pytest.param(headed("V9", 6, b"\x02"), id="unit 2"),
        pytest.param(headed("V9", 6, b"\xff"), id="unit 255"),
        pytest.param(headed("V9", 7, b"\x05"), id="function 5"),
        pytest.param(headed("V9", 7, b"\x00"), id="function 0"),
        pytest.param(headed("V9", 4, (301).to_bytes(2, "big")), id="length 301"),
        pytest.param(headed("V9", 4, b"\xff\xff"), id="length 65535"),
        pytest.param(bytes.fromhex("5959000100020102") + b"x" * 10, id="length 2"),
        pytest.param(headed("V1", 4, b"\x00\x0c"), id="heartbeat too short"),
        pytest.param(headed("V1", 4, b"\x00\x0e"), id="heartbeat too long"),
    ],
)
def test_a_head_that_cannot_be_is_skipped_without_waiting(broken: bytes) -> None:
    decoder = FrameDecoder()
    assert decoder.feed(broken + VECTORS["V7"][0]) == KNOWN["V7"]
    assert dict(decoder.dropped) == {"head": 1}


def test_the_longest_frame_that_is_waited_for_has_300_counted_bytes() -> None:
    longest = block("WF1234G567", 0x11, 4, "SA1234G567", 0, (7,) * 131)
    assert len(longest.to_bytes()) == LONGEST
    assert fed(longest.to_bytes()) == [longest]
    longer = block("WF1234G567", 0x11, 4, "SA1234G567", 0, (7,) * 132)
    assert fed(longer.to_bytes(), VECTORS["V7"][0]) == KNOWN["V7"]


@pytest.mark.parametrize("kind", [0x01, 0x02, 0x20])
def test_a_heartbeat_keeps_its_kind(kind: int) -> None:
    octets = VECTORS["V1"][0][:-1] + bytes([kind])
    assert fed(octets) == [Heartbeat(dongle="WJ2414G000", kind=kind)]
    assert Heartbeat(dongle="WJ2414G000", kind=kind).to_bytes() == octets


# ---- there and back ------------------------------------------------------------------------

CHARACTERS = st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="Y")
SERIALS = st.text(CHARACTERS, min_size=10, max_size=10)
BYTE, WORD = st.integers(0, 255), st.integers(0, 0xFFFF)
READS = st.sampled_from([3, 4, 0x16])
FRAMES: st.SearchStrategy[Frame] = st.one_of(
    st.builds(Heartbeat, dongle=SERIALS, kind=BYTE.filter(lambda kind: kind != MARK[0])),
    st.builds(
        Request,
        address=BYTE,
        function=st.sampled_from([3, 4, 6, 0x16]),
        register=WORD,
        value=WORD,
        dongle=SERIALS,
    ),
    st.builds(
        Block,
        dongle=SERIALS,
        address=BYTE,
        function=READS,
        serial=SERIALS,
        register=WORD,
        words=st.lists(WORD, max_size=60).map(tuple),
    ),
    st.builds(Stored, dongle=SERIALS, address=BYTE, serial=SERIALS, register=WORD, word=WORD),
    st.builds(
        Refusal,
        dongle=SERIALS,
        address=BYTE,
        function=st.sampled_from([3, 4, 6, 0x16]),
        serial=SERIALS,
        register=WORD,
        value=WORD,
    ),
    st.builds(Null, dongle=SERIALS, address=BYTE),
    st.builds(LanConfig, dongle=SERIALS, text=st.text("0123456789.,", min_size=10, max_size=50)),
)


@given(FRAMES)
def test_every_frame_comes_back(frame: Frame) -> None:
    assert fed(frame.to_bytes()) == [frame]


def test_a_mark_inside_the_data_is_data() -> None:
    within = block("WF1234G567", 0x11, 4, "SA1234G567", 0, (0x5959, 0x0001, 0x001C, 0x0102))
    assert fed(within.to_bytes()) == [within]
