"""compose.yaml: its shape, its profiles, how little each service may, and its broker for real."""

import asyncio
import os
import re
import shutil
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from ruamel.yaml import YAML

from mqtt_house import free_port, mosquitto
from ohmstead.config.load import load

PACKAGING = Path(__file__).parents[2] / "packaging"
TEXT = (PACKAGING / "compose.yaml").read_text()
DOCS = (PACKAGING.parent / "docs" / "container.md").read_text()
COMPOSE: dict[str, Any] = YAML(typ="safe").load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
PROFILES = {
    "ohmstead": None,
    "mosquitto": ["mqtt"],
    "victoriametrics": ["victoriametrics"],
    "influxdb": ["influx"],
    "grafana": ["grafana"],
}
KEYS = {
    *("image", "build", "init", "env_file", "environment", "volumes", "ports", "expose"),
    *("healthcheck", "stop_grace_period", "mem_limit", "pids_limit", "profiles", "user"),
    *("entrypoint", "command", "restart", "read_only", "cap_drop", "security_opt", "tmpfs"),
    "logging",
}
"""Keys of a service that the compose specification knows, and that are in use."""

each = pytest.mark.parametrize("name", SERVICES)


def test_every_profile_is_a_choice_and_the_service_is_not() -> None:
    assert {name: service.get("profiles") for name, service in SERVICES.items()} == PROFILES


def test_the_file_has_the_shape_of_the_specification() -> None:
    assert set(COMPOSE) == {"name", "x-hardened", "services", "volumes"}
    for service in SERVICES.values():
        assert set(service) <= KEYS


@each
def test_a_service_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert re.fullmatch(r"\d+[mg]", service["mem_limit"])
    assert "privileged" not in service


@each
def test_a_service_is_looked_after(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in {"CMD", "CMD-SHELL"}
    assert {"interval", "timeout", "retries"} <= set(check)


@each
def test_an_image_has_a_version(name: str) -> None:
    assert re.search(
        r":[v\d$][^:]*\d[^:]*$", re.sub(r"\$\{\w+:-([^}]+)\}", r"\1", SERVICES[name]["image"])
    )


@each
def test_a_volume_is_declared_and_a_file_is_there(name: str) -> None:
    for volume in SERVICES[name]["volumes"]:
        source = volume.split(":")[0]
        if source.startswith("."):
            assert (PACKAGING / source).exists(), source
            assert volume.endswith(":ro")
        else:
            assert source in COMPOSE["volumes"]
    used = {v.split(":")[0] for service in SERVICES.values() for v in service["volumes"]}
    assert set(COMPOSE["volumes"]) <= used


@each
def test_no_password_stands_in_the_file(name: str) -> None:
    for key, value in SERVICES[name].get("environment", {}).items():
        if re.search("PASSWORD|TOKEN|SECRET", key):
            assert value is None or re.fullmatch(r"\$\{\w+(:[-?][^}]*)?\}", value), key


def test_only_the_service_itself_insists_on_its_password() -> None:
    # Compose fills in the whole file, whichever profiles are on.
    assert re.findall(r"\$\{(\w+):\?", TEXT) == ["OHMSTEAD_PASSWORD"]


def test_the_service_is_built_from_the_dockerfile_and_stops_in_good_order() -> None:
    build = SERVICES["ohmstead"]["build"]
    context = (PACKAGING / build["context"]).resolve()
    assert (context / build["dockerfile"]).is_file()
    assert (context / ".dockerignore").is_file()
    assert int(SERVICES["ohmstead"]["stop_grace_period"].removesuffix("s")) >= 30


@pytest.mark.parametrize("line", re.findall(r"`(- \w+: \{.*\})`", DOCS))
def test_what_the_page_says_to_write_is_taken_and_leads_to_a_service(
    tmp_path: Path, line: str
) -> None:
    path = tmp_path / "ohmstead.yaml"
    path.write_text(f"outputs:\n  {line}\n")
    secrets = {"OHMSTEAD_SECRET_MQTT": "a", "OHMSTEAD_SECRET_INFLUX": "b"}
    (output,) = load(path, secrets).outputs
    ((_, given),) = YAML(typ="safe").load(line.replace("!secret ", ""))[0].items()
    host = given.get("host") or urlsplit(given["url"]).hostname
    assert host in SERVICES
    told = SERVICES[host].get("environment", {})
    assert given.get("bucket") == told.get("DOCKER_INFLUXDB_INIT_BUCKET")
    assert given.get("org") == told.get("DOCKER_INFLUXDB_INIT_ORG")
    assert given.get("username", "") in told.get("MQTT_USERNAME", "")
    assert output.output in {"mqtt", "influx"}


# ---- the broker -------------------------------------------------------------------------


def program(name: str) -> str:
    mosquitto()  # skips, or fails in CI
    found = shutil.which(name)
    if found is None and not os.environ.get("CI"):
        pytest.skip(f"{name} is not installed here")
    assert found is not None, f"{name} is not installed, and CI must have it"
    return found


@asynccontextmanager
async def the_broker(folder: Path, port: int, password: str) -> AsyncIterator[None]:
    """Run the profile's own start, with places of this machine."""
    text = (PACKAGING / "mosquitto" / "mosquitto.conf").read_text()
    text = text.replace("/mosquitto/data", str(folder))
    text = text.replace("listener 1883", f"listener {port} 127.0.0.1\nuser root")
    configuration = folder / "mosquitto.conf"
    configuration.write_text(text)
    process = await asyncio.create_subprocess_exec(
        "/bin/sh", str(PACKAGING / "mosquitto" / "start.sh"),
        env={
            "PATH": f"{os.environ['PATH']}:/usr/sbin",
            "MQTT_USERNAME": "house",
            "MQTT_PASSWORD": password,
            "MQTT_PASSWORDS": str(folder / "passwords"),
            "MQTT_CONFIGURATION": str(configuration),
        },
        stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()


async def let_in(port: int, password: str) -> bool:
    """Tell whether the broker answers the profile's health check."""
    process = await asyncio.create_subprocess_exec(
        program("mosquitto_sub"), "-p", str(port), "-u", "house", "-P", password,
        "-t", "$SYS/broker/uptime", "-C", "1", "-W", "5",
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    return await process.wait() == 0


async def test_the_broker_takes_its_password_and_no_other(tmp_path: Path) -> None:
    program("mosquitto_passwd")
    port = free_port()
    for password in ('h"u:n$ ter', "changed"):
        async with the_broker(tmp_path, port, password):
            async with asyncio.timeout(20):
                while not await let_in(port, password):  # noqa: ASYNC110 - another process is waited for
                    await asyncio.sleep(0.05)
            assert not await let_in(port, "another")
            assert not await let_in(port, "")
    assert "changed" not in (tmp_path / "passwords").read_text()


async def test_the_broker_does_not_start_without_a_password(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        "/bin/sh", str(PACKAGING / "mosquitto" / "start.sh"),
        env={"PATH": os.environ["PATH"], "MQTT_USERNAME": "house", "MQTT_PASSWORD": ""},
        stderr=asyncio.subprocess.PIPE, cwd=tmp_path,
    )  # fmt: skip
    _, said = await process.communicate()
    assert process.returncode != 0
    assert b"write OHMSTEAD_SECRET_MQTT into .env" in said
