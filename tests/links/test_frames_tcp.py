"""A framed connection comes back by itself, asks one question at a time and repeats no write."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

import pytest

from ohmstead.errors import DeviceBusy, DeviceRefused, DeviceUnreachable
from ohmstead.links.frames_tcp import FrameLink, FramePatience, _said

QUICK = FramePatience(
    connect_s=1.0,
    reply_s=0.15,
    gap_s=0,
    settle_s=0,
    idle_s=5,
    again_s=0.02,
    backoff_s=0.05,
    backoff_most_s=0.1,
)


class Lines:
    """Frames are lines."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        *lines, self._rest = (self._rest + data).split(b"\n")
        return [line.decode() for line in lines]


@dataclass
class Peer:
    """A device that does what the test says with each line it gets."""

    answer: Callable[["Peer", str, asyncio.StreamWriter], Awaitable[None]]
    greet: bytes = b""
    hang_up_at_once: bool = False
    port: int = 0
    got: list[str] = field(default_factory=list)
    connections: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            writer.write(self.greet)
            while not self.hang_up_at_once and (line := await reader.readline()):
                self.got.append(line.decode().strip())
                await self.answer(self, self.got[-1], writer)
        except ConnectionError:
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


async def right(_: Peer, line: str, writer: asyncio.StreamWriter) -> None:
    writer.write(f"re {line}\n".encode())


async def silent(_: Peer, line: str, writer: asyncio.StreamWriter) -> None:
    del line, writer


@contextlib.asynccontextmanager
async def linked(
    peer: Peer, heard: list[str] | None = None, patience: FramePatience = QUICK
) -> AsyncIterator[FrameLink[str]]:
    server = await asyncio.start_server(peer.serve, "127.0.0.1", peer.port)
    peer.port = server.sockets[0].getsockname()[1]
    hear = (heard if heard is not None else []).append
    link = FrameLink(
        "logger", ("127.0.0.1", peer.port), Lines, hear, patience=patience, advice="Look."
    )
    async with server, link:
        yield link


def to(question: str) -> Callable[[str], str | None]:
    return lambda frame: frame if frame == f"re {question}" else None


async def until(true: Callable[[], bool]) -> None:
    for _ in range(200):
        if true():
            return
        await asyncio.sleep(0.01)
    pytest.fail("it never came true")


async def test_a_question_gets_its_answer() -> None:
    peer = Peer(right)
    async with linked(peer) as link:
        assert await link.ask(b"one\n", to("one")) == "re one"
        assert await link.ask(b"two\n", to("two")) == "re two"
        assert link.connected
    assert peer.connections == 1


async def test_what_answers_no_question_is_heard() -> None:
    async def chatty(_: Peer, line: str, writer: asyncio.StreamWriter) -> None:
        writer.write(f"news\nre other\nre {line}\nre {line}\n".encode())

    heard: list[str] = []
    async with linked(Peer(chatty, greet=b"hello\n"), heard) as link:
        assert await link.ask(b"one\n", to("one")) == "re one"
        await asyncio.sleep(0.02)
    assert heard == ["hello", "news", "re other", "re one"]


async def test_questions_wait_for_their_turn() -> None:
    async def slow(peer: Peer, line: str, writer: asyncio.StreamWriter) -> None:
        seen = len(peer.got)
        await asyncio.sleep(0.02)
        assert len(peer.got) == seen
        await right(peer, line, writer)

    async with linked(Peer(slow)) as link, asyncio.TaskGroup() as group:
        asked = [group.create_task(link.ask(f"{n}\n".encode(), to(str(n)))) for n in range(4)]
    assert [task.result() for task in asked] == [f"re {n}" for n in range(4)]


async def test_a_read_is_asked_again_when_nothing_comes() -> None:
    async def third_time(peer: Peer, line: str, writer: asyncio.StreamWriter) -> None:
        if len(peer.got) == 3:
            await right(peer, line, writer)

    peer = Peer(third_time)
    async with linked(peer) as link:
        assert await link.ask(b"one\n", to("one")) == "re one"
    assert (peer.got, peer.connections) == (["one"] * 3, 1)


async def test_after_the_third_silence_it_connects_anew_and_says_what_to_do() -> None:
    peer = Peer(silent)
    async with linked(peer) as link:
        with pytest.raises(DeviceUnreachable, match=r"logger: no answer within 0.15 s. Look."):
            await link.ask(b"one\n", to("one"))
        peer.answer = right
        assert await link.ask(b"two\n", to("two")) == "re two"
    assert peer.got == ["one", "one", "one", "two"]
    assert peer.connections == 2


async def test_a_write_is_never_repeated() -> None:
    peer = Peer(silent)
    async with linked(peer) as link:
        with pytest.raises(DeviceUnreachable):
            await link.ask(b"write\n", to("write"), attempts=1)
    assert peer.got == ["write"]


async def test_a_read_in_flight_survives_a_dropped_connection() -> None:
    async def drops_first(peer: Peer, line: str, writer: asyncio.StreamWriter) -> None:
        if peer.connections == 1:
            writer.close()
        else:
            await right(peer, line, writer)

    peer = Peer(drops_first, greet=b"hello\n")
    async with linked(peer) as link:
        assert await link.ask(b"one\n", to("one")) == "re one"
    assert peer.connections == 2


async def test_a_write_in_flight_on_a_dropped_connection_is_given_up() -> None:
    async def drops(_: Peer, line: str, writer: asyncio.StreamWriter) -> None:
        del line
        writer.close()

    peer = Peer(drops)
    async with linked(peer) as link:
        with pytest.raises(DeviceUnreachable, match="the connection was lost: the device closed"):
            await link.ask(b"write\n", to("write"), attempts=1)
    assert peer.got == ["write"]


async def test_a_busy_device_is_read_again_and_given_up_in_the_end() -> None:
    def busy(frame: str) -> str | None:
        if len(peer.got) < 3:
            raise DeviceBusy("logger", "later")
        return frame

    def always_busy(_: str) -> str | None:
        raise DeviceBusy("logger", "later")

    peer = Peer(right)
    async with linked(peer) as link:
        assert await link.ask(b"one\n", busy) == "re one"
        with pytest.raises(DeviceBusy):
            await link.ask(b"two\n", always_busy)
    assert peer.got == ["one"] * 3 + ["two"] * 3


async def test_a_refusal_is_an_answer() -> None:
    def refused(_: str) -> str | None:
        raise DeviceRefused("logger", "no", 3)

    peer = Peer(right)
    async with linked(peer) as link:
        with pytest.raises(DeviceRefused):
            await link.ask(b"one\n", refused)
        assert await link.ask(b"two\n", to("two")) == "re two"
    assert peer.got == ["one", "two"]


async def test_nobody_at_the_address_is_said_so() -> None:
    async with linked(Peer(right)) as link:
        port = link._address[1]
    async with FrameLink("logger", ("127.0.0.1", port), Lines, print, patience=QUICK) as link:
        with pytest.raises(
            DeviceUnreachable, match=f"no connection to 127.0.0.1:{port}: Connection refused"
        ):
            await link.ask(b"one\n", to("one"))
        link.tell(b"nobody hears this\n")
        assert not link.connected


async def test_an_address_that_swallows_everything_is_given_up_in_time() -> None:
    listener = await asyncio.start_server(Peer(right).serve, "127.0.0.1", 0)
    port = listener.sockets[0].getsockname()[1]
    nothing = FramePatience(connect_s=0.0, backoff_s=0.01)
    async with (
        listener,
        FrameLink("logger", ("127.0.0.1", port), Lines, print, patience=nothing) as link,
    ):
        with pytest.raises(DeviceUnreachable, match=r"not connected yet|no answer within 0 s"):
            await link.ask(b"one\n", to("one"))
        await asyncio.sleep(0.05)
        with pytest.raises(DeviceUnreachable, match="no answer within 0 s"):
            await link.ask(b"one\n", to("one"))


async def test_a_device_that_closes_at_once_is_left_alone_for_longer_and_longer() -> None:
    peer = Peer(right, hang_up_at_once=True)
    async with linked(peer):
        await asyncio.sleep(0.45)
    # 0.05 s, then 0.1 s for ever, a fifth more or less: without the pause it were hundreds.
    assert 3 <= peer.connections <= 7


async def test_a_connection_that_worked_is_made_again_soon() -> None:
    peer = Peer(right, greet=b"hello\n", hang_up_at_once=True)
    async with linked(peer):
        await asyncio.sleep(0.3)
    assert peer.connections >= 8


async def test_a_connection_on_which_nothing_comes_is_made_anew() -> None:
    peer = Peer(right)
    short = FramePatience(idle_s=0.05, settle_s=0, again_s=0.01, backoff_s=0.01)
    async with linked(peer, patience=short):
        await asyncio.sleep(0.3)
    assert peer.connections >= 2


async def test_what_is_told_arrives_without_an_answer() -> None:
    peer = Peer(silent, greet=b"hello\n")
    heard: list[str] = []
    async with linked(peer, heard) as link:
        await until(lambda: bool(heard))
        link.tell(b"beat\n")
        await until(lambda: bool(peer.got))
    assert peer.got == ["beat"]


async def test_a_question_given_up_by_its_asker_leaves_the_link_usable() -> None:
    async def late(peer: Peer, line: str, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.05 if line == "one" else 0)
        await right(peer, line, writer)

    async with linked(Peer(late)) as link:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.02):
                await link.ask(b"one\n", to("one"))
        assert await link.ask(b"two\n", to("two")) == "re two"


async def test_the_asker_being_cancelled_ends_the_link() -> None:
    async def live() -> None:
        async with linked(Peer(silent)) as link:
            await link.ask(b"one\n", to("one"))

    async with asyncio.TaskGroup() as group:
        task = group.create_task(live())
        await asyncio.sleep(0.05)
        task.cancel()
    assert task.cancelled()


async def test_a_link_that_was_left_can_be_entered_again() -> None:
    async with linked(Peer(right)) as link:
        assert await link.ask(b"one\n", to("one")) == "re one"
        await link.__aexit__(None, None, None)
        assert not link.connected
        await link.__aenter__()
        assert await link.ask(b"two\n", to("two")) == "re two"


async def test_an_error_of_the_body_comes_out_as_it_is() -> None:
    with pytest.raises(ValueError, match="mine"):
        async with linked(Peer(right)):
            raise ValueError("mine")


@pytest.mark.parametrize("host", ["a..b", "x" * 80])
async def test_a_host_that_cannot_be_one_is_said_so(host: str) -> None:
    async with FrameLink("logger", (host, 1), Lines, print, patience=QUICK) as link:
        with pytest.raises(DeviceUnreachable, match=f"no connection to {host}:1: .*label"):
            await link.ask(b"one\n", to("one"))


async def test_a_name_nobody_knows_is_said_so() -> None:
    unknown = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    assert _said(unknown) == "Name or service not known"


async def test_a_connection_lost_before_the_question_is_made_anew() -> None:
    peer = Peer(right, greet=b"hello\n", hang_up_at_once=True)
    async with linked(peer, patience=replace(QUICK, settle_s=0.1)) as link:
        with pytest.raises(DeviceUnreachable, match="the connection was lost"):
            await link.ask(b"one\n", to("one"))
    assert peer.got == []
    assert peer.connections >= 3


async def test_a_peer_that_resets_while_it_is_spoken_to_is_unreachable() -> None:
    async def resets(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.03)
        writer.transport.abort()

    async with await asyncio.start_server(resets, "127.0.0.1", 0) as server:
        address = ("127.0.0.1", server.sockets[0].getsockname()[1])
        async with FrameLink("logger", address, Lines, print, patience=QUICK) as link:
            with pytest.raises(DeviceUnreachable, match="the connection was lost"):
                await link.ask(b"x" * 20_000_000, to("x"), attempts=1)
            link.tell(b"y")
