"""A house without a broker gets one: ours, watched, behind a password where it is asked for."""

import asyncio
import gc
import logging
import os
import signal
import stat
import threading
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import aiomqtt
import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from houses import LONDON
from mqtt_house import Ear, an_ear, free_port, mosquitto
from ohmstead.clock import SystemClock
from ohmstead.errors import OutputError
from ohmstead.outputs.broker import broker_for
from ohmstead.outputs.broker_mosquitto import mosquitto_configuration
from ohmstead.outputs.mqtt import MqttOutput
from ohmstead.outputs.mqtt_settings import EmbeddedSettings, MqttSettings
from web_site import ASite

pytestmark = pytest.mark.enable_socket

BASE = "ohmstead/home"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing binds it here


# amqtt leaves its end of connections to the garbage collector.
UNTIDY = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(params=["mosquitto", pytest.param("amqtt", marks=UNTIDY)])
def use(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "mosquitto":
        mosquitto()
    else:
        pytest.importorskip("amqtt")
    yield str(request.param)
    gc.collect()


@asynccontextmanager
async def a_house(
    settings: MqttSettings, folder: Path, site: ASite, after: Awaitable[object] | None = None
) -> AsyncIterator[None]:
    """Run the output, broker and all."""
    output = MqttOutput(
        settings, site_name="home", timezone=LONDON, clock=SystemClock(), data_dir=folder
    )
    async with asyncio.TaskGroup() as group:
        running = group.create_task(output.run(site))
        try:
            if after is not None:
                await after
            async with an_ear_at(settings) as ear:
                await ear.topic(f"{BASE}/availability", "online")
            site.tell()
            yield
        finally:
            running.cancel()


async def test_an_independent_client_meets_the_house(use: str, tmp_path: Path) -> None:
    site, settings = ASite(), embedded(use)
    async with a_house(settings, tmp_path, site):
        answer = await asyncio.to_thread(talk, settings, f"{BASE}/inverter/charge_w/set", "1500")
    assert '"outcome":"applied"' in answer
    assert len(site.asked) == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning:amqtt")
async def test_only_who_knows_the_password_comes_in(use: str, tmp_path: Path) -> None:
    settings = embedded(use, username="house", password="correct horse")
    async with a_house(settings, tmp_path, ASite()):
        assert await asyncio.to_thread(greeting, settings, "house", "correct horse") == "Success"
        assert await asyncio.to_thread(greeting, settings, "house", "wrong") != "Success"
        assert await asyncio.to_thread(greeting, settings, None, None) != "Success"
    passwords = tmp_path / f"{use}.passwords"
    assert "correct horse" not in passwords.read_text()
    assert stat.S_IMODE(passwords.stat().st_mode) == 0o600


class TestMosquitto:
    @pytest.fixture(autouse=True)
    def there(self) -> None:
        mosquitto()

    async def test_it_goes_when_we_go_and_keeps_what_it_was_told(self, tmp_path: Path) -> None:
        settings = embedded("mosquitto")
        async with a_house(settings, tmp_path, ASite()):
            pid = int((tmp_path / "mosquitto.pid").read_text())
            os.kill(pid, 0)
            async with an_ear_at(settings) as ear:
                await ear.say("somebody/else", "said this", retain=True)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        async with a_house(settings, tmp_path, ASite()), an_ear_at(settings) as ear:
            await ear.topic("somebody/else", "said this")

    async def test_when_it_dies_the_output_says_so_and_begins_again(self, tmp_path: Path) -> None:
        settings = embedded("mosquitto")
        with pytest.RaisesGroup(pytest.RaisesExc(OutputError, match="mosquitto ended with -9")):
            async with a_house(settings, tmp_path, ASite()):
                os.kill(int((tmp_path / "mosquitto.pid").read_text()), signal.SIGKILL)
                await asyncio.sleep(10)
        async with a_house(settings, tmp_path, ASite()):
            pass

    async def test_one_that_an_earlier_run_left_behind_is_ended(
        self, tmp_path: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        settings = embedded("mosquitto")
        conf = tmp_path / "mosquitto.conf"
        conf.write_text(mosquitto_configuration(settings, tmp_path))
        orphan = await asyncio.create_subprocess_exec(
            mosquitto(), "-c", str(conf), stderr=asyncio.subprocess.DEVNULL
        )
        (tmp_path / "mosquitto.pid").write_text(str(orphan.pid))
        await asyncio.sleep(0.3)
        caplog.set_level(logging.WARNING)
        async with a_house(settings, tmp_path, ASite(), after=orphan.wait()):
            assert orphan.returncode == 0
        assert "that an earlier run left behind" in caplog.text

    async def test_somebody_elses_process_is_left_alone(self, tmp_path: Path) -> None:
        (tmp_path / "mosquitto.pid").write_text(str(os.getpid()))
        async with a_house(embedded("mosquitto"), tmp_path, ASite()):
            pass

    async def test_a_port_that_is_taken_is_told(self, tmp_path: Path) -> None:
        settings = embedded("mosquitto")
        async with await asyncio.start_server(lambda *_: None, "127.0.0.1", settings.address[1]):
            broker = broker_for(settings, tmp_path, SystemClock())
            with pytest.raises(OutputError, match="Address already in use"):
                await broker(lambda: None)

    async def test_a_folder_that_cannot_be_is_told(self, tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        broker = broker_for(embedded("mosquitto"), tmp_path / "file", SystemClock())
        with pytest.raises(OutputError, match="cannot keep its files"):
            await broker(lambda: None)

    def test_its_configuration_is_ours_alone(self, tmp_path: Path) -> None:
        text = mosquitto_configuration(
            MqttSettings(
                host="embedded",
                port=1884,
                username="house",
                password="secret",
                embedded=EmbeddedSettings(listen=EVERYWHERE),
            ),
            tmp_path,
        )
        lines = text.splitlines()
        assert "listener 1884 0.0.0.0" in lines
        assert "allow_anonymous false" in lines
        assert "secret" not in text

    def test_without_a_folder_there_is_no_broker(self) -> None:
        with pytest.raises(OutputError, match="needs a data_dir"):
            broker_for(embedded("mosquitto"), None, SystemClock())


@UNTIDY
class TestAmqtt:
    @pytest.fixture(autouse=True)
    def there(self) -> Iterator[None]:
        pytest.importorskip("amqtt")
        yield
        gc.collect()

    def test_the_owner_is_told_what_home_assistant_must_be_told(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        broker_for(embedded("amqtt"), None, SystemClock())
        assert "choose protocol 3.1.1" in caplog.text

    async def test_a_port_that_is_taken_is_told(self, tmp_path: Path) -> None:
        settings = embedded("amqtt")
        async with await asyncio.start_server(lambda *_: None, "127.0.0.1", settings.address[1]):
            broker = broker_for(settings, tmp_path, SystemClock())
            with pytest.raises(OutputError, match="cannot listen"):
                await broker(lambda: None)


def test_a_machine_without_any_broker_is_told_how_to_get_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(OutputError, match="install mosquitto"):
        broker_for(embedded("amqtt"), None, SystemClock())


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"embedded": EmbeddedSettings(listen=EVERYWHERE)}, "set username and password"),
        ({"username": "me"}, "both username and password"),
        ({"username": "a:b", "password": "x"}, "without a colon"),
        ({"tls": True}, "no TLS"),
        ({"host": "broker", "embedded": EmbeddedSettings()}, "needs `host: embedded`"),
        ({"host": ""}, "host is"),
        ({"port": 0}, "port is a number"),
        ({"password": "x"}, "needs a username"),
        ({"keepalive_s": 0}, "keepalive_s"),
        ({"topic": "a/#"}, "without wildcards"),
        ({"topic": "/a"}, "is a topic"),
        ({"protocol": "5", "embedded": EmbeddedSettings(use="amqtt")}, "3.1.1 only"),
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        MqttSettings(**{"host": "embedded", **given})  # type: ignore[arg-type]


def test_a_listener_that_is_no_address_is_refused() -> None:
    with pytest.raises(ValueError, match="an address of this machine"):
        EmbeddedSettings(listen="everywhere\nuser root")


def test_no_secret_is_shown() -> None:
    settings = MqttSettings(host="broker", username="me", password="correct horse")
    assert "correct horse" not in repr(settings)


def embedded(use: str, username: str | None = None, password: str | None = None) -> MqttSettings:
    return MqttSettings(
        host="embedded",
        port=free_port(),
        username=username,
        password=password,
        embedded=EmbeddedSettings(use=use),  # type: ignore[arg-type]
    )


@asynccontextmanager
async def an_ear_at(settings: MqttSettings) -> AsyncIterator[Ear]:
    """Listen at a broker that may not be there yet."""
    async with AsyncExitStack() as stack, asyncio.timeout(20) as limit:
        while True:
            with suppress(aiomqtt.MqttError):
                ear = an_ear(settings.address[1], settings.username, settings.password)
                heard = await stack.enter_async_context(ear)
                break
            await asyncio.sleep(0.05)
        limit.reschedule(None)
        yield heard


def talk(settings: MqttSettings, topic: str, payload: str) -> str:
    """Say something as another program would, and return the answer."""
    answers: list[str] = []
    subscribed, answered = threading.Event(), threading.Event()

    def hear(_client: Client, _data: object, message: MQTTMessage) -> None:
        if message.topic == f"{BASE}/result":  # amqtt sends what nobody subscribed to, too
            answers.append(bytes(message.payload).decode())
            answered.set()

    client = a_client("somebody")
    client.on_message = hear
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect(*settings.address)
    client.loop_start()
    client.subscribe(f"{BASE}/result", qos=1)
    assert subscribed.wait(5)
    client.publish(topic, payload, qos=1)
    assert answered.wait(5)
    client.disconnect()
    client.loop_stop()
    return answers[0]


def greeting(settings: MqttSettings, username: str | None, password: str | None) -> str:
    """Return what the broker says to somebody who knocks."""
    said: list[str] = []
    heard = threading.Event()

    def greeted(_client: Client, _data: object, _flags: object, reason: object, _p: object) -> None:
        said.append(str(reason))
        heard.set()

    client = a_client("knocker")
    client.on_connect = greeted
    client.on_disconnect = lambda *_: heard.set()
    client.username_pw_set(username, password)
    client.connect(*settings.address)
    client.loop_start()
    assert heard.wait(5)
    client.disconnect()
    client.loop_stop()
    return said[0] if said else "hung up"


def a_client(name: str) -> Client:
    return Client(
        CallbackAPIVersion.VERSION2,
        client_id=name,
        protocol=MQTTProtocolVersion.MQTTv311,
        reconnect_on_failure=False,
    )
