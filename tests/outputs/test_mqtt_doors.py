"""A broker behind a door: encrypted, with a password, of either version of MQTT."""

import asyncio
import gc
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from houses import NOON
from mqtt_house import Broker, a_broker, an_ear, told
from ohmstead.clock import ManualClock
from ohmstead.errors import OutputError
from ohmstead.outputs.broker_password import mosquitto_line
from ohmstead.outputs.mqtt import MqttSettings
from ohmstead.outputs.mqtt_client import try_out
from ohmstead.outputs.mqtt_link import Link
from ohmstead.outputs.mqtt_settings import TlsSettings
from web_site import ASite

pytestmark = pytest.mark.enable_socket

BASE = "ohmstead/home"


@pytest.fixture
async def certificate(tmp_path: Path) -> Path:
    """Return the certificate of a broker on this machine, with its key beside it."""
    program = shutil.which("openssl")
    if program is None:
        pytest.skip("openssl is not installed here")
    made = await asyncio.create_subprocess_exec(
        program, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
        "-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem"),
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert await made.wait() == 0
    return tmp_path / "cert.pem"


@pytest.fixture
async def encrypted(tmp_path: Path, certificate: Path) -> AsyncIterator[Broker]:
    lines = ("allow_anonymous true", f"certfile {certificate}", f"keyfile {tmp_path / 'key.pem'}")
    async with a_broker(tmp_path, *lines) as broker:
        yield broker


async def test_a_broker_that_proves_itself_is_spoken_to(
    encrypted: Broker, certificate: Path
) -> None:
    tls = TlsSettings(ca=str(certificate))
    assert "connected" in await try_out(settings(encrypted, tls=tls), "me")


# The library leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_broker_that_cannot_prove_itself_is_not(encrypted: Broker) -> None:
    with pytest.raises(OutputError, match="CERTIFICATE_VERIFY_FAILED"):
        await try_out(settings(encrypted, tls=True), "me")
    gc.collect()


async def test_the_owner_may_trust_it_all_the_same(encrypted: Broker) -> None:
    tls = TlsSettings(insecure=True)
    assert "connected" in await try_out(settings(encrypted, tls=tls), "me")


async def test_our_own_certificate_is_shown(encrypted: Broker, certificate: Path) -> None:
    key = certificate.with_name("key.pem")
    tls = TlsSettings(ca=str(certificate), cert=str(certificate), key=str(key))
    assert "connected" in await try_out(settings(encrypted, tls=tls), "me")


async def test_name_and_password_let_us_in(tmp_path: Path) -> None:
    (tmp_path / "passwords").write_text(mosquitto_line("me", "correct horse"))
    lines = ("allow_anonymous false", f"password_file {tmp_path / 'passwords'}")
    async with a_broker(tmp_path, *lines) as broker:
        right = settings(broker, username="me", password="correct horse")
        assert "connected" in await try_out(right, "me")
        with pytest.raises(OutputError, match="Not authorized"):
            await try_out(settings(broker, username="me", password="wrong"), "me")


async def test_mqtt_5_does_the_same(tmp_path: Path) -> None:
    site = ASite()
    async with (
        a_broker(tmp_path) as broker,
        told(site, broker.port, protocol="5", home_assistant=True),
        an_ear(broker.port) as ear,
    ):
        await ear.topic(f"{BASE}/availability", "online")
        site.tell()
        await ear.topic(f"{BASE}/site/mode", "automatic")
        await ear.say(f"{BASE}/inverter/charge_w/set", "1500")
        assert (await ear.answer())["outcome"] == "applied"


async def test_mqtt_5_keeps_commands_through_a_restart(tmp_path: Path) -> None:
    site = ASite()
    async with a_broker(tmp_path) as broker, told(site, broker.port, protocol="5"):
        async with an_ear(broker.port) as ear:
            await ear.topic(f"{BASE}/availability", "online")
        await broker.stop()
        await broker.start()
        async with an_ear(broker.port) as ear:
            # We are still away, waiting before the next try: the broker keeps it for us.
            await ear.say(f"{BASE}/inverter/charge_w/set", "1500")
            assert (await ear.answer())["outcome"] == "applied"
    assert len(site.asked) == 1


async def test_a_broker_that_lets_us_hear_nothing_is_told() -> None:
    class Deaf:
        async def subscribe(self, topics: list[tuple[str, int]]) -> tuple[int, ...]:
            return tuple(128 for _ in topics)

    link = Link(MqttSettings(host="nowhere"), "me", "gone", ["a", "b"], ManualClock(NOON))
    with pytest.raises(OutputError, match="does not let us listen"):
        await link._serve(Deaf())  # type: ignore[arg-type]


def settings(broker: Broker, **more: object) -> MqttSettings:
    given = {"host": "127.0.0.1", "port": broker.port, **more}
    return MqttSettings(**given)  # type: ignore[arg-type]
