"""A dongle is a bus: others' answers teach us things, and are never taken for our own."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import pairwise

import pytest

from givenergy_dongle import (
    DONGLE,
    MEASURED,
    NOON,
    PACK_1,
    QUICK,
    SERIAL,
    SETTINGS,
    WORDS,
    Dongle,
    a_home,
    a_station,
    until,
)
from ohmstead.clock import ManualClock
from ohmstead.devices.givenergy.frames import (
    INVERTER,
    Frame,
    FrameDecoder,
    Function,
    Heartbeat,
    LanConfig,
    Null,
    Request,
    Stored,
)
from ohmstead.devices.givenergy.settings import GivEnergySettings
from ohmstead.devices.givenergy.station import Station
from ohmstead.errors import DeviceBusy, DeviceRefused, DeviceUnreachable

BEAT = Heartbeat(dongle=DONGLE)
OTHER = tuple(range(1_000, 1_060))


async def test_what_is_asked_for_is_answered_and_remembered() -> None:
    async with a_station() as talk:
        assert await talk.station.read(MEASURED, 0, 60) == WORDS["V9"]
        talk.clock.move(5)
        heard = talk.station.heard(MEASURED)
        assert heard.words() == dict(enumerate(WORDS["V9"]))
        assert heard.age_s(range(60), talk.clock.monotonic()) == 5
        assert talk.station.asked == len(talk.dongle.asked) == 1


# ---- others' answers -----------------------------------------------------------------------

DAMAGED = Dongle().block(MEASURED, 0, OTHER).to_bytes()[:-1] + b"\0"
FOREIGN: dict[str, Frame | bytes] = {
    "another address": Dongle().block((0x33, Function.READ_INPUT), 0, OTHER),
    "another function": Dongle().block((INVERTER, Function.READ_HOLD), 60, OTHER),
    "another register": Dongle().block(MEASURED, 60, OTHER),
    "another count": Dongle().block(MEASURED, 0, WORDS["V9"][:30]),
    "a write": Dongle().stored(0, 60),
    "a refusal of another register": Dongle().refusal(
        Request(function=Function.READ_INPUT, register=60, value=60)
    ),
    "a refusal of another address": Dongle().refusal(
        Request(address=0x32, function=Function.READ_INPUT, register=0, value=60)
    ),
    "a question": Request(function=Function.READ_INPUT, register=0, value=60),
    "a heartbeat": BEAT,
    "where the dongle is": LanConfig(dongle=DONGLE, text="192.168.1.20,255.255.255.0"),
    "a device that did not answer": Null(dongle=DONGLE, address=INVERTER),
    "our answer, damaged": DAMAGED,
    "noise": b"noise" * 20,
    "half a frame": Dongle().block(MEASURED, 0, OTHER).to_bytes()[:60],
}


@pytest.mark.parametrize("foreign", FOREIGN.values(), ids=FOREIGN)
async def test_nothing_but_the_answer_answers_a_read(foreign: Frame | bytes) -> None:
    def crowded(dongle: Dongle, asked: Request) -> Sequence[Frame | bytes]:
        return [foreign, *dongle.healthy(asked)]

    async with a_station(Dongle(script=crowded)) as talk:
        assert await talk.station.read(MEASURED, 0, 60) == WORDS["V9"]
        assert talk.station.heard(MEASURED).words()[59] == 46
        assert len(talk.dongle.asked) == 1


async def test_what_others_read_need_not_be_asked_for() -> None:
    async with a_station() as talk:
        await until(lambda: talk.dongle.writers)
        talk.dongle.say(talk.dongle.block(SETTINGS, 60, OTHER))
        await until(lambda: talk.station.heard(SETTINGS).words())
        assert talk.station.heard(SETTINGS).words() == dict(enumerate(OTHER, 60))
        assert talk.dongle.asked == []
        assert talk.news == []


async def test_what_others_write_is_news() -> None:
    async with a_station() as talk:
        await until(lambda: talk.dongle.writers)
        talk.dongle.say(talk.dongle.stored(110, 25))
        await until(lambda: talk.news)
        assert talk.station.heard(SETTINGS).words() == {110: 25}


async def test_a_write_to_another_device_is_none_of_ours() -> None:
    async with a_station() as talk:
        await until(lambda: talk.dongle.writers)
        theirs = Stored(dongle=DONGLE, address=0x32, serial="", register=110, word=25)
        talk.dongle.say(theirs, talk.dongle.block(MEASURED, 0, WORDS["V9"]))
        await until(lambda: talk.station.heard(MEASURED).words())
        assert talk.station.heard(SETTINGS).words() == {}
        assert talk.news == []


async def test_others_pages_are_not_believed_blindly() -> None:
    async with a_station() as talk:
        await talk.station.read(MEASURED, 0, 60)
        talk.dongle.say(talk.dongle.block(MEASURED, 0, [0] * 60))
        await until(talk.station.refused.total)
        assert talk.station.heard(MEASURED).words() == dict(enumerate(WORDS["V9"]))


# ---- answers that are none -----------------------------------------------------------------


async def test_an_error_is_asked_again_and_then_means_later() -> None:
    async with a_station(Dongle(script=lambda dongle, asked: [dongle.refusal(asked)])) as talk:
        with pytest.raises(DeviceBusy, match=r"giv: refused input registers 180 and up at 0x11"):
            await talk.station.read(MEASURED, 180, 60)
        assert len(talk.dongle.asked) == 3


async def test_an_error_that_repeats_the_question_wrongly_is_silence() -> None:
    def mangled(dongle: Dongle, asked: Request) -> list[Frame]:
        return [dongle.refusal(asked, register=180, value=0)]

    async with a_station(Dongle(script=mangled), replace(QUICK, reply_s=0.03)) as talk:
        with pytest.raises(DeviceUnreachable, match="no answer"):
            await talk.station.read(MEASURED, 0, 60)


async def test_a_page_that_cannot_be_true_is_asked_for_again() -> None:
    def once(dongle: Dongle, _: Request) -> list[Frame] | None:
        return [dongle.block(MEASURED, 0, [0] * 60)] if len(dongle.asked) == 1 else None

    async with a_station(Dongle(script=once)) as talk:
        assert await talk.station.read(MEASURED, 0, 60) == WORDS["V9"]
        assert talk.station.refused == {"all zeros": 1}


async def test_a_page_that_is_never_true_is_none() -> None:
    zeros = Dongle(script=lambda dongle, _: [dongle.block(MEASURED, 0, [0] * 60)])
    async with a_station(zeros) as talk:
        with pytest.raises(DeviceBusy, match="all zeros"):
            await talk.station.read(MEASURED, 0, 60)
        assert talk.station.heard(MEASURED).words() == {}


async def test_the_first_page_of_a_pack_is_asked_for_twice() -> None:
    async with a_station() as talk:
        assert await talk.station.probe(PACK_1, 60, 60) == WORDS["V10"]
        assert len(talk.dongle.asked) == 2
        assert await talk.station.probe(PACK_1, 60, 60) == WORDS["V10"]
        assert len(talk.dongle.asked) == 3


async def test_an_address_of_a_pack_that_answers_zeros_is_no_trouble() -> None:
    absent: dict[int, int] = dict.fromkeys(range(60, 120), 0)
    place = 0x33, Function.READ_INPUT
    async with a_station(Dongle(words={place: absent})) as talk:
        assert await talk.station.probe(place, 60, 60) == (0,) * 60
        assert talk.station.refused == {}


async def test_what_is_not_there_is_asked_twice() -> None:
    async with a_station(patience=replace(QUICK, reply_s=0.03)) as talk:
        assert await talk.station.probe((0x35, Function.READ_INPUT), 60, 60) is None
        assert len(talk.dongle.asked) == 2
        assert len(talk.dongle.writers) == 1


async def test_what_is_refused_is_not_there() -> None:
    async with a_station(Dongle(script=lambda dongle, asked: [dongle.refusal(asked)])) as talk:
        assert await talk.station.probe(SETTINGS, 300, 60) is None


async def test_nobody_there_is_not_nothing_there() -> None:
    station = Station(
        "giv", GivEnergySettings(host="127.0.0.1", port=9), ManualClock(NOON),
        patience=replace(QUICK, connect_s=0.05), on_news=lambda: None,
    )  # fmt: skip
    async with station:
        with pytest.raises(DeviceUnreachable, match=r"no connection to 127.0.0.1:9: .*adapter"):
            await station.probe(MEASURED, 0, 60)


# ---- writing -------------------------------------------------------------------------------


async def test_a_write_is_over_when_its_echo_comes() -> None:
    async with a_station() as talk:
        await talk.station.write(110, 25)
        assert [(asked.address, asked.function, asked.register, asked.value)
                for asked in talk.dongle.asked] == [(INVERTER, 6, 110, 25)]  # fmt: skip
        assert talk.dongle.words[SETTINGS][110] == 25
        assert talk.news == []


@pytest.mark.parametrize(
    "foreign",
    [
        pytest.param(Dongle().stored(110, 24), id="another value"),
        pytest.param(Dongle().stored(111, 25), id="another register"),
        pytest.param(replace(Dongle().stored(110, 25), address=0x32), id="another device"),
        pytest.param(Dongle().block(SETTINGS, 110, [25]), id="a read of the same"),
        pytest.param(Request(function=6, register=110, value=25), id="somebody's question"),
    ],
)
async def test_nothing_but_its_own_echo_ends_a_write(foreign: Frame) -> None:
    def crowded(dongle: Dongle, asked: Request) -> list[Frame]:
        loop = asyncio.get_running_loop()
        loop.call_later(0.05, dongle.say, *dongle.healthy(asked))
        return [foreign]

    async with a_station(Dongle(script=crowded)) as talk:
        begin = asyncio.get_running_loop().time()
        await talk.station.write(110, 25)
        assert asyncio.get_running_loop().time() - begin > 0.04


async def test_a_write_is_sent_once_whatever_comes() -> None:
    async with a_station(Dongle(script=lambda *_: []), replace(QUICK, reply_s=0.03)) as talk:
        talk.station.heard(SETTINGS).store(110, [4], 0)
        with pytest.raises(DeviceUnreachable):
            await talk.station.write(110, 25)
        assert len(talk.dongle.asked) == 1
        assert 110 not in talk.station.heard(SETTINGS).words()


async def test_a_refused_write_says_what_was_refused() -> None:
    async with a_station(Dongle(script=lambda dongle, asked: [dongle.refusal(asked)])) as talk:
        with pytest.raises(DeviceRefused, match="giv: refused to set register 318 to 9"):
            await talk.station.write(318, 9)
        assert len(talk.dongle.asked) == 1


# ---- the connection ------------------------------------------------------------------------


async def test_one_question_at_a_time_and_a_pause_between() -> None:
    async with a_station(patience=replace(QUICK, spacing_s=0.03)) as talk:
        async with asyncio.TaskGroup() as group:
            for first in range(0, 60, 20):
                group.create_task(talk.station.read(MEASURED, first, 20))
        begun = talk.dongle.asked_at
        assert [asked.register for asked in talk.dongle.asked] == [0, 20, 40]
        assert all(later - sooner > 0.025 for sooner, later in pairwise(begun))


async def test_a_heartbeat_is_answered_with_the_same() -> None:
    async with a_station() as talk:
        await until(lambda: talk.dongle.writers)
        talk.dongle.say(BEAT, replace(BEAT, kind=2))
        await until(lambda: len(talk.dongle.heartbeats) == 2)
        assert talk.dongle.heartbeats == [BEAT, replace(BEAT, kind=2)]


async def test_a_heartbeat_is_answered_while_an_answer_is_awaited() -> None:
    def beats_first(dongle: Dongle, asked: Request) -> list[Frame]:
        asyncio.get_running_loop().call_later(0.03, dongle.say, *dongle.healthy(asked))
        return [BEAT]

    async with a_station(Dongle(script=beats_first)) as talk:
        assert await talk.station.read(MEASURED, 0, 60) == WORDS["V9"]
        assert talk.dongle.heartbeats == [BEAT]


async def test_who_leaves_heartbeats_unanswered_is_hung_up_on_and_we_are_not() -> None:
    async with a_home() as home:
        await home.read()
        reader, writer = await asyncio.open_connection("127.0.0.1", home.port)
        beats, decoder = 0, FrameDecoder()
        await until(lambda: len(home.simulator.clients.connected) == 2)
        async with asyncio.timeout(3):
            while True:
                home.clock.move(181)
                data = await reader.read(4096)
                if not data:
                    break
                beats += sum(isinstance(frame, Heartbeat) for frame in decoder.feed(data))
        writer.close()
        await writer.wait_closed()
        assert beats == 3
        assert len(home.simulator.clients.connected) == 1
        assert home.simulator.heartbeats >= 3
        assert (await home.read()).values["status"] == "normal"


async def test_a_connection_that_is_lost_is_made_again() -> None:
    async with a_station() as talk:
        for n in range(1, 4):
            assert await talk.station.read(MEASURED, 0, 60) == WORDS["V9"]
            talk.dongle.writers[-1].close()
            await until(partial(has, talk.dongle.writers, n + 1))


async def test_damaged_frames_are_counted_over_all_connections() -> None:
    async with a_station() as talk:
        for n in (1, 2):
            await until(partial(has, talk.dongle.writers, n))
            talk.dongle.say(DAMAGED, BEAT)
            await until(partial(has, talk.dongle.heartbeats, n))
            talk.dongle.writers[-1].close()
        assert talk.station.dropped == 2


async def test_what_goes_wrong_tells_no_serial_number(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with a_station(Dongle(script=lambda dongle, asked: [dongle.refusal(asked)])) as talk:
        with pytest.raises(DeviceBusy):
            await talk.station.read(MEASURED, 0, 60)
    assert SERIAL not in caplog.text
    assert DONGLE not in caplog.text


def has(things: Sequence[object], count: int) -> bool:
    return len(things) == count
