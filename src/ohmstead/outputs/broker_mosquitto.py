"""mosquitto as our child: with a configuration of ours, watched, and gone when we go."""

import asyncio
import logging
import os
import pwd
import signal
from asyncio.subprocess import Process
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from ohmstead.clock import Clock
from ohmstead.errors import OutputError
from ohmstead.outputs.broker_password import mosquitto_line
from ohmstead.outputs.mqtt_settings import MqttSettings

__all__ = ["mosquitto_configuration", "run_mosquitto"]

log = logging.getLogger(__name__)

_SAVE_S: Final = 300
"""How often retained messages go to the disk; at every stop they do."""
_BEGIN_S: Final = 10.0
_END_S: Final = 5.0
_LOOK_S: Final = 0.05
_AS_ROOT: Final = "should not be run as root"


async def run_mosquitto(
    program: str, settings: MqttSettings, folder: Path, ready: Callable[[], None], clock: Clock
) -> None:
    """Run mosquitto until cancelled; raises ``OutputError`` when it ends by itself."""
    configuration = _write_down(settings, folder)
    await _end_orphan(folder / "mosquitto.pid", configuration, clock)
    try:
        child = await asyncio.create_subprocess_exec(
            program,
            "-c",
            str(configuration),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us: we say goodbye first
        )
    except OSError as exc:
        raise OutputError(f"mqtt: {program} cannot be started: {exc}") from exc
    said: list[str] = []
    try:
        (folder / "mosquitto.pid").write_text(str(child.pid))
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(_listen(child, said))
            await _until_open(child, settings, said, clock)
            log.info("mqtt: mosquitto runs on %s:%d", *settings.address)
            ready()
            code = await child.wait()
            await reading
        raise OutputError(f"mqtt: mosquitto ended with {code}: {_last(said)}")
    finally:
        await _end(child)
        (folder / "mosquitto.pid").unlink(missing_ok=True)


def mosquitto_configuration(settings: MqttSettings, folder: Path) -> str:
    """Return the configuration for *settings*, with all its files in *folder*."""
    _, port = settings.address
    lines = [
        "# Written by Ohmstead at every start: changes are lost.",
        f"listener {port} {settings.broker.listen}",
        "persistence true",
        f"persistence_location {folder}/",
        f"autosave_interval {_SAVE_S}",
        "log_dest stderr",
        "log_type error",
        "log_type warning",
        "log_timestamp false",
        # Commands wait for us through a restart, and nobody else's forgotten session for ever.
        "persistent_client_expiration 1d",
    ]
    if settings.username is None:
        lines.append("allow_anonymous true")
    else:
        lines += ["allow_anonymous false", f"password_file {folder / 'mosquitto.passwords'}"]
    if os.geteuid() == 0:
        # As root it would become the user mosquitto, who cannot read our folder.
        lines.append(f"user {pwd.getpwuid(0).pw_name}")
    return "\n".join(lines) + "\n"


def _write_down(settings: MqttSettings, folder: Path) -> Path:
    folder = folder.absolute()
    configuration = folder / "mosquitto.conf"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        configuration.write_text(mosquitto_configuration(settings, folder))
        if settings.username is not None and settings.password is not None:
            passwords = folder / "mosquitto.passwords"
            passwords.touch(mode=0o600)
            passwords.write_text(mosquitto_line(settings.username, settings.password))
    except OSError as exc:
        raise OutputError(f"mqtt: our own broker cannot keep its files: {exc}") from exc
    return configuration


async def _listen(child: Process, said: list[str]) -> None:
    """Pass on what it complains about."""
    assert child.stderr is not None  # noqa: S101 - it was asked for
    async for line in child.stderr:
        text = line.decode(errors="replace").strip()
        if _AS_ROOT in text:
            continue  # in a container everything does
        said[:] = [*said[-4:], text]
        log.warning("mosquitto: %s", text)


async def _until_open(
    child: Process, settings: MqttSettings, said: list[str], clock: Clock
) -> None:
    """Return once it takes connections."""
    host, port = settings.address
    began = clock.monotonic()
    while child.returncode is None and clock.monotonic() - began < _BEGIN_S:
        try:
            _, writer = await asyncio.open_connection(host, port)
        except OSError:
            await clock.sleep(_LOOK_S)
        else:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            await asyncio.sleep(0)
            if child.returncode is None:
                return
    if child.returncode is None:
        raise OutputError(f"mqtt: mosquitto does not answer on {host}:{port}: {_last(said)}")


async def _end(child: Process) -> None:
    """Let it write its messages down, and wait until it is gone."""
    with suppress(ProcessLookupError):
        child.terminate()
        try:
            async with asyncio.timeout(_END_S):
                await child.wait()
        except TimeoutError:
            child.kill()
            await child.wait()


async def _end_orphan(pid_file: Path, configuration: Path, clock: Clock) -> None:
    """End the child of an earlier run that was killed: it holds the port and the files."""
    pid = _orphan(pid_file, configuration)
    if pid is None:
        return
    log.warning("mqtt: ending the mosquitto that an earlier run left behind (%d)", pid)
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, signal.SIGTERM)
        for _ in range(round(_END_S / _LOOK_S)):
            os.kill(pid, 0)
            await clock.sleep(_LOOK_S)


def _orphan(pid_file: Path, configuration: Path) -> int | None:
    try:
        pid = int(pid_file.read_text())
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return None
    return pid if str(configuration).encode() in command.split(b"\0") else None


def _last(said: list[str]) -> str:
    return said[-1] if said else "it said nothing"
