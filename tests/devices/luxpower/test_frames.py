"""Frames read as their senders meant them, and nothing a stream carries can break the decoder."""

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ohmstead.devices.luxpower.frames import (
    ERROR,
    Frame,
    FrameDecoder,
    Function,
    Heartbeat,
    Parameter,
    ReadRequest,
    Serials,
    Translated,
    WriteRequest,
    block_words,
    echo,
    error_code,
    error_reply,
    parameter_asked,
    parameter_value,
    read_parameter_reply,
    read_parameter_request,
    read_reply,
    read_request,
    reply_words,
    request,
    write_multi_request,
    write_parameter_reply,
    write_reply,
    write_single,
)

VECTORS = {
    name: bytes.fromhex(octets)
    for name, octets in json.loads((Path(__file__).parent / "vectors.json").read_text()).items()
}
US = Serials(datalog="2222222222", inverter="5555555555")
THEM = Serials(datalog="0987654321", inverter="1234567890")
MOST = 1030
"""No more than one longest frame may wait in the decoder."""


@pytest.mark.parametrize("name", sorted(set(VECTORS) - {"C11"}))
def test_a_frame_is_decoded_and_encoded_to_the_same_bytes(name: str) -> None:
    decoder = FrameDecoder()
    frames = decoder.feed(VECTORS[name])
    assert [frame.to_bytes() for frame in frames] == [VECTORS[name]]
    assert (len(decoder), decoder.skipped, dict(decoder.dropped)) == (0, 0, {})


def test_a_frame_with_a_wrong_checksum_is_dropped_and_counted() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(VECTORS["C11"]) == []
    assert dict(decoder.dropped) == {"checksum": 1}
    assert decoder.skipped == len(VECTORS["C11"])


@pytest.mark.parametrize(
    ("name", "built"),
    [
        ("G01", Heartbeat(protocol=2, datalog="2222222222")),
        ("G02", Heartbeat(protocol=5, datalog="DG99999999", payload=b"\x05")),
        ("G03", read_request(US, Function.READ_HOLD, 12, 3)),
        ("G05", read_request(US, Function.READ_HOLD, 12, 1)),
        ("G07", read_request(THEM, Function.READ_HOLD, 21, 1)),
        ("G11", read_request(US, Function.READ_INPUT, 0, 40)),
        ("G12", read_request(US, Function.READ_INPUT, 40, 40)),
        ("G13", read_request(US, Function.READ_INPUT, 80, 40)),
        ("G21", write_single(US, 66, 100)),
        ("G23", write_single(THEM, 21, 8000)),
        ("G24", write_multi_request(US, 12, (0x0616, 0x1413, 0x2117))),
        ("G26", read_parameter_request("2222222222", 7)),
        ("G27", read_parameter_reply(2, "2222222222", 0, b"\x2c\x01")),
        ("G29", read_parameter_reply(2, "2222222222", 0, b"\xb4\x00")),
        ("P01", read_request(US, Function.READ_HOLD, 21, 1)),
        ("P02", write_single(US, 21, 62420)),
        ("P03", write_single(US, 21, 62292)),
        ("P05", read_request(US, Function.READ_INPUT, 115, 5)),
        ("P06", read_request(US, Function.READ_INPUT, 0, 125)),
        ("C06", write_multi_request(US, 68, (0x1E17, 0x1E05))),
    ],
)
def test_what_we_send_is_what_others_send(name: str, built: Frame) -> None:
    assert built.to_bytes() == VECTORS[name]


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("G03", ReadRequest(holding=True, register=12, count=3)),
        ("G06", ReadRequest(holding=True, register=12, count=10270)),
        ("G11", ReadRequest(holding=False, register=0, count=40)),
        ("P06", ReadRequest(holding=False, register=0, count=125)),
        ("G21", WriteRequest(register=66, words=(100,), multi=False)),
        ("P02", WriteRequest(register=21, words=(62420,), multi=False)),
        ("G24", WriteRequest(register=12, words=(0x0616, 0x1413, 0x2117), multi=True)),
        ("P04", WriteRequest(register=68, words=(0x1E17, 0x1E05), multi=True)),
        ("C06", WriteRequest(register=68, words=(0x1E17, 0x1E05), multi=True)),
        ("G04", None),
        ("C07", None),
        ("G32", None),
    ],
)
def test_the_loggers_end_understands_requests(
    name: str, asked: ReadRequest | WriteRequest | None
) -> None:
    assert request(translated(name)) == asked


def test_a_multi_write_whose_byte_count_lies_is_no_request() -> None:
    good = translated("C06")
    for tail in (b"\2\0\3" + good.tail[3:], good.tail[:-1], good.tail + b"\0", b"\2\0"):
        assert request(remade(good, tail)) is None


@pytest.mark.parametrize(
    ("question", "answer", "protocol", "words"),
    [
        ("G03", "G04", 2, (1558, 1300, 14608)),
        ("P01", "C01", 2, (62292,)),
        ("P01", "C02", 5, (62292,)),
        ("G05", "G06", 1, (10270,)),
    ],
)
def test_a_read_reply_is_the_same_from_both_ends(
    question: str, answer: str, protocol: int, words: tuple[int, ...]
) -> None:
    asked, reply = translated(question), translated(answer)
    assert reply_words(reply, asked.register, len(words)) == words
    built = read_reply(asked, words, protocol=protocol)
    # G06 is a fixture of another project, with a client's address in a reply.
    assert remade(built, built.tail, address=reply.address).to_bytes() == VECTORS[answer]


def test_slots_and_their_neighbours_come_in_one_reply() -> None:
    assert reply_words(translated("C05"), 68, 6) == (0, 0x3B17, 0, 0, 0, 0)


@pytest.mark.parametrize(
    ("question", "answer", "protocol", "repeats"),
    [
        ("G21", "G22", 2, 100),
        ("P02", "C03", 2, 62420),
        ("P02", "C04", 5, 62420),
        ("G24", "G25", 2, 3),
        ("C06", "C07", 5, 2),
    ],
)
def test_a_write_is_echoed(question: str, answer: str, protocol: int, repeats: int) -> None:
    assert echo(translated(answer)) == repeats
    assert write_reply(translated(question), protocol=protocol).to_bytes() == VECTORS[answer]


def test_somebody_elses_write_shows_its_value() -> None:
    foreign = translated("C10")
    assert (foreign.register, echo(foreign)) == (85, 0x0A12)


@pytest.mark.parametrize(
    ("name", "refused", "code"),
    [
        ("G32", write_single(Serials("DG99999999", "99999T9999"), 234, 30), 3),
        ("C08", read_request(US, Function.READ_HOLD, 300, 1), 2),
        ("C09", write_multi_request(US, 12, (0, 0, 0)), 3),
    ],
)
def test_an_error_frame_names_what_was_refused(name: str, refused: Translated, code: int) -> None:
    frame = translated(name)
    assert frame.function == refused.function | ERROR
    assert error_code(frame) == code
    assert (block_words(frame), echo(frame), request(frame)) == (None, None, None)
    assert error_reply(refused, code, protocol=frame.protocol).to_bytes() == VECTORS[name]


def test_only_an_error_frame_has_an_error_code() -> None:
    assert error_code(translated("C01")) is None


@pytest.mark.parametrize(
    ("protocol", "tail"),
    [
        pytest.param(2, b"\x54\xf3", id="protocol 2 without its length byte"),
        pytest.param(5, b"\x54\xf3", id="protocol 5 without its length byte"),
        pytest.param(5, b"\x04\x54\xf3", id="a length byte that promises more"),
        pytest.param(1, b"\x54\xf3\x00", id="an odd number of bytes"),
        pytest.param(2, b"\x02\x54\xf3\x00\x00", id="more words than the length byte says"),
    ],
)
def test_a_reply_whose_length_is_in_doubt_is_not_read(protocol: int, tail: bytes) -> None:
    frame = Translated(
        protocol=protocol,
        datalog=US.datalog,
        inverter=US.inverter,
        function=Function.READ_HOLD,
        register=21,
        tail=tail,
        address=1,
    )
    assert block_words(frame) is None
    assert reply_words(frame, 21, 1) is None


def test_a_longer_reply_with_the_same_register_is_another_ones() -> None:
    assert reply_words(translated("G10"), 21, 1) is None
    assert reply_words(translated("G10"), 0, 1) is None
    words = reply_words(translated("G10"), 0, 80)
    assert words is not None
    assert words[21] == 29269


@pytest.mark.parametrize(("name", "seconds"), [("G27", 300), ("G29", 180)])
def test_the_broadcast_interval_is_parameter_0(name: str, seconds: int) -> None:
    frame = one(name)
    assert isinstance(frame, Parameter)
    assert parameter_value(frame) == (0, seconds.to_bytes(2, "little"))


def test_a_parameter_write_is_answered_in_a_short_form_of_its_own() -> None:
    asked, short = one("G30"), one("G31")
    assert isinstance(asked, Parameter)
    assert isinstance(short, Parameter)
    assert (asked.write, parameter_asked(asked)) == (True, 7)
    assert parameter_value(short) is None
    assert write_parameter_reply(2, US.datalog, 7).payload == b"\x07\x00\x00"


@pytest.mark.parametrize(("name", "parameter"), [("G26", 7), ("G28", 0)])
def test_a_parameter_question_names_the_parameter(name: str, parameter: int) -> None:
    frame = one(name)
    assert isinstance(frame, Parameter)
    assert parameter_asked(frame) == parameter
    assert parameter_value(frame) is None


def test_a_parameter_answer_that_lies_about_its_length_says_nothing() -> None:
    frame = Parameter(protocol=2, datalog=US.datalog, payload=b"\0\0\4\0\1\0")
    assert parameter_value(frame) is None
    assert parameter_asked(Parameter(protocol=2, datalog=US.datalog, payload=b"\0")) is None


def test_a_serial_of_another_length_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="10 characters"):
        Heartbeat(protocol=2, datalog="123").to_bytes()


# ---- the stream -----------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1, 2, 5, 6, 7, 117, 10_000])
def test_frames_may_come_in_pieces_of_any_size(size: int) -> None:
    names = ["G01", "G14", "G17", "G19"]
    stream = b"".join(VECTORS[name] for name in names)
    decoder = FrameDecoder()
    frames = [
        frame
        for at in range(0, len(stream), size)
        for frame in decoder.feed(stream[at : at + size])
    ]
    assert [frame.to_bytes() for frame in frames] == [VECTORS[name] for name in names]


def test_a_frame_is_found_behind_garbage_that_begins_like_one() -> None:
    assert fed(bytes.fromhex("00a1a11b1a"), VECTORS["G22"]) == [one("G22")]
    assert fed(b"\xa1", VECTORS["G22"]) == [one("G22")]
    assert fed(b"\xa1\x1a", VECTORS["G22"]) == [one("G22")]


def test_a_broken_frame_does_not_take_the_next_one_with_it() -> None:
    assert fed(VECTORS["C11"], VECTORS["C01"]) == [one("C01")]


def test_half_a_frame_is_no_frame_and_no_trouble() -> None:
    decoder = FrameDecoder()
    assert decoder.feed(VECTORS["G14"][:60]) == []
    assert len(decoder) == 60


def test_half_a_frame_does_not_swallow_the_next_whole_one() -> None:
    assert fed(VECTORS["G14"][:60], VECTORS["G17"]) == [one("G17")]


def test_an_absurd_length_is_not_waited_for() -> None:
    absurd = bytearray(VECTORS["C01"])
    absurd[4:6] = b"\xff\xff"
    decoder = FrameDecoder()
    assert decoder.feed(bytes(absurd)) == []
    assert decoder.feed(VECTORS["C01"]) == [one("C01")]
    assert decoder.dropped["length"] == 1


def test_two_lengths_that_contradict_each_other_drop_the_frame() -> None:
    torn = bytearray(VECTORS["C01"])
    torn[18] += 2
    assert fed(bytes(torn), VECTORS["C01"]) == [one("C01")]


@pytest.mark.parametrize("function", [0, 192, 197, 255])
def test_a_frame_of_an_unknown_function_is_passed_over(function: int) -> None:
    unknown = bytearray(VECTORS["G30"])
    unknown[7] = function
    assert fed(bytes(unknown), VECTORS["G01"]) == [one("G01")]


def test_a_heartbeat_of_21_bytes_is_one_and_is_echoed_byte_for_byte() -> None:
    longer = bytearray(VECTORS["G02"] + b"\x00\x07")
    longer[4] += 2
    longer[6] = 9
    (frame,) = fed(bytes(longer))
    assert isinstance(frame, Heartbeat)
    assert frame.to_bytes() == longer


def test_the_last_byte_of_a_frame_never_begins_the_next() -> None:
    ends_so = Heartbeat(protocol=2, datalog=US.datalog, payload=b"\xa1").to_bytes()
    assert fed(ends_so, b"\x1a", VECTORS["G22"]) == [*fed(ends_so), one("G22")]


PIECES = st.one_of(
    st.binary(max_size=80),
    st.sampled_from([b"\xa1", b"\x1a", b"\xa1\x1a", b"\xa1\x1a\x02\x00\xff\x03\x01\xc2"]),
    st.sampled_from(list(VECTORS.values())),
    st.builds(
        lambda octets, at, value: (
            octets[: at % len(octets)] + bytes([value]) + octets[at % len(octets) + 1 :]
        ),
        st.sampled_from(list(VECTORS.values())),
        st.integers(0, 300),
        st.integers(0, 255),
    ),
    st.builds(
        lambda octets, at: octets[: at % len(octets)],
        st.sampled_from(list(VECTORS.values())),
        st.integers(0, 300),
    ),
)


@settings(max_examples=10_000, deadline=None)
@given(st.lists(PIECES, max_size=12))
def test_no_stream_breaks_the_decoder_or_fills_the_memory(pieces: list[bytes]) -> None:
    decoder = FrameDecoder()
    for piece in pieces:
        for frame in decoder.feed(piece):
            meanings(frame)
        assert len(decoder) <= MOST
    # Whatever came before, a connection that then falls silent for one longest frame and
    # sends whole ones again is understood again.
    decoder.feed(bytes(MOST))
    assert decoder.feed(VECTORS["C01"]) == [one("C01")]


def meanings(frame: Frame) -> None:
    """Ask *frame* for everything it may mean."""
    match frame:
        case Translated():
            request(frame)
            block_words(frame)
            reply_words(frame, 0, 40)
            echo(frame)
            error_code(frame)
        case Parameter():
            parameter_value(frame)
            parameter_asked(frame)
        case Heartbeat():
            pass
    assert FrameDecoder().feed(frame.to_bytes()) == [frame]


def fed(*pieces: bytes) -> list[Frame]:
    decoder = FrameDecoder()
    return [frame for piece in pieces for frame in decoder.feed(piece)]


def one(name: str) -> Frame:
    (frame,) = fed(VECTORS[name])
    return frame


def translated(name: str) -> Translated:
    frame = one(name)
    assert isinstance(frame, Translated)
    return frame


def remade(frame: Translated, tail: bytes, address: int = 1) -> Translated:
    return Translated(
        protocol=frame.protocol,
        datalog=frame.datalog,
        inverter=frame.inverter,
        function=frame.function,
        register=frame.register,
        tail=tail,
        address=address,
    )
