"""One broker, reached again whenever it goes away; nothing that matters is lost meanwhile.

What is told is kept as a picture, topic by topic: while the broker is away only the newest
value of each stays, and the whole picture is sent when it is back. Answers wait in order. What
comes in is handed over once: the broker keeps commands for us while we are away for a short
time, and may send again what we heard already.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Final

import aiomqtt
from paho.mqtt.client import MQTTMessage

from ohmstead.clock import Clock
from ohmstead.errors import OutputError
from ohmstead.outputs.mqtt_client import MqttClient
from ohmstead.outputs.mqtt_commands import Incoming
from ohmstead.outputs.mqtt_settings import MqttSettings
from ohmstead.outputs.mqtt_state import OFFLINE, ONLINE

__all__ = ["Link", "Told"]

log = logging.getLogger(__name__)

_GOODBYE_S: Final = 2.0
_FIRST_PAUSE_S: Final = 0.5
_LONGEST_PAUSE_S: Final = 60.0
_STALE_S: Final = 300.0
"""What lay at the broker for longer is of another time: it is not carried out."""
_ANSWERS: Final = 200
_WAITING: Final = 1000
_HEARD: Final = 200
_REFUSED: Final = 128
_HANDFUL: Final = 50
"""How many messages are sent before others get their turn."""


@dataclass(frozen=True, slots=True)
class Told:
    """A payload, and how sure we want to be that it arrives."""

    payload: str
    qos: int = 0


class Link:
    """The connection to one broker."""

    def __init__(
        self,
        settings: MqttSettings,
        client_id: str,
        will: str,
        commands: Sequence[str],
        clock: Clock,
    ) -> None:
        """Be known as *client_id*; the broker says ``offline`` at *will* when we are gone."""
        self._settings = settings
        self._client_id = client_id
        self._will = will
        self._commands = commands
        self._clock = clock
        self._picture: dict[str, Told] = {}
        self._unsent: dict[str, None] = {}
        self._ordered: deque[tuple[str, str, bool]] = deque(maxlen=_ANSWERS)
        self._news = asyncio.Event()
        self._chance = Random(client_id)  # noqa: S311 - so that clients do not return all at once
        self._heard: dict[int, int] = {}
        self._heard_before: dict[int, int] = {}
        self._lost_at: float | None = None
        self._said = ""
        self.incoming: asyncio.Queue[Incoming] = asyncio.Queue(_WAITING)

    # ---- what is told ---------------------------------------------------------------

    def tell(self, topic: str, payload: str, qos: int = 0) -> None:
        """Let *topic* hold *payload*, retained; sent only if it does not already."""
        told = Told(payload, qos)
        if self._picture.get(topic) != told:
            self._picture[topic] = told
            self._unsent[topic] = None
            self._news.set()

    def told(self, topic: str) -> str | None:
        """Return what *topic* holds, or None if we never said anything there."""
        told = self._picture.get(topic)
        return told.payload if told else None

    def answer(self, topic: str, payload: str) -> None:
        """Send *payload* once, not retained, when the broker can be reached."""
        self._ordered.append((topic, payload, False))
        self._news.set()

    def before(self, topic: str, payload: str) -> None:
        """Let *topic* hold *payload* for a moment, before what it is told next."""
        self._ordered.append((topic, payload, True))
        self._news.set()

    def again(self, topics: Sequence[str] | None = None) -> None:
        """Send *topics* again, or everything."""
        self._unsent |= dict.fromkeys(self._picture if topics is None else topics)
        self._news.set()

    # ---- the connection -------------------------------------------------------------

    async def run(self) -> None:
        """Keep the connection up for ever."""
        self.tell(self._will, ONLINE, 1)
        while True:
            # Each connection in a task of its own, so that no cancellation is left over from
            # the last (see _heed_cancellation).
            async with asyncio.TaskGroup() as group:
                group.create_task(self._session())
            await self._clock.sleep(_FIRST_PAUSE_S)

    async def retained(self, filters: Sequence[str], quiet_s: float = 0.5) -> dict[str, str]:
        """Return what the broker keeps under *filters*, over a connection of its own.

        Brokers do not say which retained message is the last: a short silence does.
        """
        async with asyncio.TaskGroup() as group:
            looking = group.create_task(self._look(filters, quiet_s))
        return looking.result()

    # ---- how it is done -------------------------------------------------------------

    @property
    def _where(self) -> str:
        host, port = self._settings.address
        return f"{host}:{port}"

    async def _look(self, filters: Sequence[str], quiet_s: float) -> dict[str, str]:
        kept: asyncio.Queue[MQTTMessage] = asyncio.Queue()
        found: dict[str, str] = {}

        async def connect() -> MqttClient:
            client = MqttClient(self._settings, f"{self._client_id}-look", kept.put_nowait)
            await client.__aenter__()
            return client

        client = await self._reach(connect)
        try:
            await client.subscribe([(topic, 0) for topic in filters])
            _heed_cancellation()
            while True:
                async with asyncio.timeout(quiet_s):
                    message = await kept.get()
                if message.retain and message.payload:
                    found[message.topic] = message.payload.decode(errors="replace")
        except TimeoutError:
            return found
        except aiomqtt.MqttError as exc:
            raise OutputError(f"mqtt: lost {self._where}: {exc}") from exc
        finally:
            await self._close(client)

    async def _session(self) -> None:
        """Connect, and stay until the connection breaks."""
        client = await self._reach(self._connect)
        try:
            _heed_cancellation()
            await self._serve(client)
        except* aiomqtt.MqttError as group:
            log.warning("mqtt: lost %s: %s", self._where, group.exceptions[0])
        finally:
            self._lost_at = self._clock.monotonic()
            self._heard_before, self._heard = self._heard, {}
            await self._leave(client)

    async def _reach(self, connect: Callable[[], Awaitable[MqttClient]]) -> MqttClient:
        """Try until the broker lets us in, ever more seldom."""
        pause_s = _FIRST_PAUSE_S
        while True:
            try:
                client = await connect()
            except aiomqtt.MqttError as exc:
                self._complain(f"mqtt: cannot reach {self._where}: {exc}; trying again")
            except ValueError as exc:
                raise OutputError(f"mqtt: {self._where} is no address: {exc}") from exc
            else:
                self._said = ""
                return client
            await self._clock.sleep(pause_s * self._chance.uniform(0.75, 1.25))
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    async def _connect(self) -> MqttClient:
        """Connect to the session the broker keeps for us, unless what waits there is too old."""
        if self._lost_at is None or self._clock.monotonic() - self._lost_at > _STALE_S:
            async with MqttClient(self._settings, self._client_id, lambda _: None):
                log.debug("mqtt: what may have waited for us is forgotten")
        client = MqttClient(
            self._settings,
            self._client_id,
            self._hear,
            will=aiomqtt.Will(self._will, OFFLINE, qos=1, retain=True),
            keep=True,
        )
        await client.__aenter__()
        if not client.session_kept and self._lost_at is not None:
            log.warning("mqtt: %s forgot us: commands given meanwhile are lost", self._where)
        return client

    async def _serve(self, client: MqttClient) -> None:
        """Listen and tell, until the connection breaks."""
        codes = await client.subscribe([(topic, 1) for topic in self._commands])
        _heed_cancellation()
        if any((code if isinstance(code, int) else code.value) >= _REFUSED for code in codes):
            raise OutputError(f"mqtt: {self._where} does not let us listen to {self._commands}")
        log.info("mqtt: connected to %s", self._where)
        self.again()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch(client))
            group.create_task(self._send(client))

    async def _watch(self, client: MqttClient) -> None:
        async for _ in client.messages:
            log.debug("mqtt: the library's own queue is not used")

    async def _send(self, client: MqttClient) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._ordered or self._unsent:
                if self._ordered:
                    await self._send_first(client)
                else:
                    await self._send_some(client)

    async def _send_some(self, client: MqttClient) -> None:
        """Send a handful of what changed, and wait until it is out."""
        topics = list(islice(self._unsent, _HANDFUL))
        for topic in topics:
            del self._unsent[topic]
            told = self._picture[topic]
            if told.qos == 0 and topic is not topics[-1]:
                client.push(topic, told.payload)
                continue
            await client.publish(topic, told.payload, qos=told.qos, retain=True)
            _heed_cancellation()
        await asyncio.sleep(0)

    async def _send_first(self, client: MqttClient) -> None:
        """Send what waits longest; it leaves the queue only once it has arrived."""
        first = self._ordered[0]
        topic, payload, retain = first
        await client.publish(topic, payload, qos=1, retain=retain)
        _heed_cancellation()
        if self._ordered and self._ordered[0] is first:
            self._ordered.popleft()

    async def _close(self, client: MqttClient) -> None:
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await client.__aexit__(None, None, None)
        except (aiomqtt.MqttError, TimeoutError):
            client.drop()

    async def _leave(self, client: MqttClient) -> None:
        """Say that we go, if the broker still hears us; its own word for us is the will."""
        try:
            async with asyncio.timeout(_GOODBYE_S):
                await client.publish(self._will, OFFLINE, qos=1, retain=True)
        except (aiomqtt.MqttError, TimeoutError):
            client.drop()
        else:
            await self._close(client)

    def _hear(self, message: MQTTMessage) -> None:
        """Take a message in, unless it is one that we had before the connection broke.

        The broker repeats what it sent and we acknowledged too late, under the same number.
        """
        digest = hash((message.topic, bytes(message.payload)))
        if message.dup and self._heard_before.get(message.mid) == digest:
            log.info("mqtt: %s came twice and is carried out once", message.topic)
            return
        if message.qos:
            self._heard[message.mid] = digest
            while len(self._heard) > _HEARD:
                del self._heard[next(iter(self._heard))]
        try:
            self.incoming.put_nowait(
                Incoming(message.topic, bytes(message.payload), message.retain)
            )
        except asyncio.QueueFull:
            log.warning("mqtt: %s is lost: %d messages wait already", message.topic, _WAITING)

    def _complain(self, what: str) -> None:
        """Say it once, not at every try."""
        if what != self._said:
            log.warning("%s", what)
        self._said = what


def _heed_cancellation() -> None:
    """End a task that was cancelled while the library waited.

    It waits with ``asyncio.wait_for``, which in Python 3.11 swallows a cancellation that comes
    in the same moment as what it waits for (python/cpython#86296).
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
