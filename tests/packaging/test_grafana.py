"""The boards ask for names that Ohmstead writes, and a real database answers every question."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx2
import pytest
from ruamel.yaml import YAML

from givenergy_house import Plant
from houses import LONDON
from ohmstead import app
from ohmstead.clock import SystemClock
from ohmstead.config import build
from ohmstead.config.document import Document
from ohmstead.config.load import read_settings
from ohmstead.devices.luxpower.simulator import LuxPowerSimulator
from ohmstead.outputs.influx_naming import News, ohmstead_lines
from ohmstead.outputs.line_protocol import Line, encode
from ohmstead.simulation import SCENARIOS, House
from victoria_metrics import victoria_metrics

GRAFANA = Path(__file__).parents[2] / "packaging" / "grafana"
BOARDS = {path.stem: json.loads(path.read_text()) for path in GRAFANA.glob("dashboards/*.json")}
VICTORIA, INFLUX = BOARDS["ohmstead-victoriametrics"], BOARDS["ohmstead-influxdb"]
SOURCES: dict[str, Any] = YAML(typ="safe").load(
    (GRAFANA / "provisioning" / "datasources" / "ohmstead.yaml").read_text()
)
PRICES = (
    "{import: {source: fixed, price_per_kwh: 0.3}, export: {source: fixed, price_per_kwh: 0.1}}"
)

each = pytest.mark.parametrize("name", BOARDS)


def queries(board: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every query with the title of its panel."""
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target.get("expr") or target["query"]


async def lines_of(family: str) -> list[Line]:
    """Return what is written of a house with a simulated inverter of *family*."""
    clock, day = SystemClock(), SCENARIOS["winter"]
    luxpower = LuxPowerSimulator(House(day.house, clock.now(), LONDON), clock, LONDON)
    simulator = luxpower if family == "luxpower" else Plant("hybrid_gen2", clock).simulator
    serials = {"datalog": "2222222222", "serial": "5555555555"} if family == "luxpower" else {}
    async with simulator.serve() as port:
        device = {"name": "inverter", "family": family, "host": "127.0.0.1", "port": port}
        values = {
            "devices": [device | serials | {"pause_s": 0}],
            "prices": YAML(typ="safe").load(PRICES),
        }
        settings = read_settings(Document(path=Path("test.yaml"), values=values))
        buy, sell = build.prices(settings)
        plan = app.Plan(
            timezone=LONDON,
            devices=build.devices(settings, clock),
            strategies=[],
            buy=buy,
            sell=sell,
        )
        snapshot = (await app.look(plan, clock)).snapshot
    fresh = [(d, d.reading) for d in snapshot.devices.values() if d.reading]
    return ohmstead_lines(News(site="home", snapshot=snapshot, points={}, fresh=fresh))


@cache
def series() -> set[str]:
    """Return the names that VictoriaMetrics is asked for, without what a pattern stands for."""
    text = " ".join(query for _, query in queries(VICTORIA))
    return set(re.findall(r'__name__=~"\.\+_(\w+)"', text)) | set(re.findall(r"ohmstead_\w+", text))


@pytest.mark.parametrize("family", ["luxpower", "givenergy"])
async def test_every_name_on_the_boards_is_written(family: str) -> None:
    device, house = await lines_of(family)
    assert (device.measurement, house.measurement) == (family, "ohmstead")
    assert set(device.tags) == {"site", "device"}
    written = {f"ohmstead_{name}" for name in house.fields} | set(device.fields)
    assert series() <= written
    for title, query in queries(INFLUX):
        (field,) = re.findall(r'r\._field == "(\w+)"', query)
        of_the_house = 'r._measurement == "ohmstead"' in query
        assert field in (house.fields if of_the_house else device.fields), title
        assert "exists r.device" in query or of_the_house


@pytest.mark.enable_socket
@pytest.mark.parametrize("family", ["luxpower", "givenergy"])
async def test_a_database_answers_every_question_of_the_board(tmp_path: Path, family: str) -> None:
    lines = await lines_of(family)
    now = SystemClock().now()
    told = [replace(line, at=now - timedelta(minutes=5 * n)) for n in range(30) for line in lines]
    async with victoria_metrics(tmp_path) as database, httpx2.AsyncClient() as client:
        sent = await client.post(f"{database.url}/write", content="\n".join(encode(told)))
        assert sent.is_success
        await database.series()
        for title, query in queries(VICTORIA):
            answer = await client.get(
                f"{database.url}/api/v1/query",
                params={"query": query.replace("$site", "home"), "time": now.timestamp()},
            )
            found = answer.json()["data"]["result"]
            assert len(found) == 1, (title, query, found)
            if query.startswith("integrate"):
                used_kwh = float(lines[-1].fields["load_w"]) / 1_000 * 29 * 5 / 60
                assert float(found[0]["value"][1]) == pytest.approx(used_kwh, rel=0.05)
        houses = await client.get(
            f"{database.url}/api/v1/label/site/values", params={"match[]": "ohmstead_load_w"}
        )
    assert houses.json()["data"] == ["home"]


@each
def test_a_board_is_whole(name: str) -> None:
    board = BOARDS[name]
    assert board["uid"] == name
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    assert [v["name"] for v in board["templating"]["list"]] == ["site"]
    for _, query in queries(board):
        assert re.search(r"\$\{?site\b", query)
        assert all(query.count(a) == query.count(b) for a, b in ("()", "[]", "{}"))
    places = [panel["gridPos"] for panel in board["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    rows = sorted((place["y"], place["x"], place["h"], place["w"]) for place in places)
    for (y, x, height, width), (below, right, _, _) in pairwise(rows):
        assert below >= y + height or right >= x + width


@each
def test_a_board_asks_a_database_that_is_set_up(name: str) -> None:
    known = {(source["type"], source["uid"]) for source in SOURCES["datasources"]}
    asked = {
        (at["datasource"]["type"], at["datasource"]["uid"])
        for panel in BOARDS[name]["panels"]
        for at in (panel, *panel["targets"])
    }
    assert len(asked) == 1
    assert asked <= known


def test_both_boards_show_the_same() -> None:
    shown = [
        [(panel["title"], panel["fieldConfig"]["defaults"]["unit"]) for panel in board["panels"]]
        for board in (VICTORIA, INFLUX)
    ]
    assert shown[0] == shown[1]
    titles = {title for title, _ in shown[0]}
    assert titles >= {"Powers", "State of charge", "Prices a kWh", "Energy a day"}


def test_the_databases_are_those_of_compose() -> None:
    compose = YAML(typ="safe").load((GRAFANA.parent / "compose.yaml").read_text())
    services, boards = compose["services"], "/var/lib/ohmstead/dashboards"
    for source in SOURCES["datasources"]:
        host, port = re.fullmatch(r"http://(\w+):(\d+)", source["url"]).groups()  # type: ignore[union-attr]
        assert services[host]["expose"] == [port]
        token = source.get("secureJsonData", {}).get("token", "$INFLUX_TOKEN")
        assert token.removeprefix("$") in services["grafana"]["environment"]
    (influx,) = [s["jsonData"] for s in SOURCES["datasources"] if s["type"] == "influxdb"]
    given = services["influxdb"]["environment"]
    assert given["DOCKER_INFLUXDB_INIT_BUCKET"] == influx["defaultBucket"]
    assert given["DOCKER_INFLUXDB_INIT_ORG"] == influx["organization"]
    provider = YAML(typ="safe").load(
        (GRAFANA / "provisioning" / "dashboards" / "ohmstead.yaml").read_text()
    )
    assert provider["providers"][0]["options"]["path"] == boards
    assert f"./grafana/dashboards:{boards}:ro" in services["grafana"]["volumes"]
