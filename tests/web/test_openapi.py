"""OpenAPI tells a program all it needs: every route, every shape, every refusal."""

from collections.abc import Iterator
from typing import Any

import pytest

from houses import NOON
from ohmstead.clock import ManualClock
from ohmstead.web.live import Live
from ohmstead.web.server import make_app
from web_site import ASite

JSON = dict[str, Any]


@pytest.fixture(scope="module")
def described() -> JSON:
    site = ASite()
    app = make_app(site, Live(site), ManualClock(NOON), "1.2.3")
    assert app.openapi() == app.openapi()
    return app.openapi()


def routes(described: JSON) -> Iterator[tuple[str, JSON]]:
    for path, verbs in described["paths"].items():
        for verb, route in verbs.items():
            yield f"{verb} {path}", route


def parts(node: object) -> Iterator[JSON]:
    """Every object in it, itself included."""
    if isinstance(node, dict):
        yield node
        for part in node.values():
            yield from parts(part)
    elif isinstance(node, list):
        for part in node:
            yield from parts(part)


def test_all_routes_are_there(described: JSON) -> None:
    assert {name.replace("/api/v1/", "") for name, _ in routes(described)} == {
        "get site", "get devices", "get devices/{device}", "get devices/{device}/points",
        "get settings", "get settings/{device}/{point}", "put settings/{device}/{point}",
        "get prices", "get decision", "get decisions", "get journal", "get requests",
        "post requests", "delete requests/{request_id}", "get health", "get live",
        "get history", "get history/points", "get history/costs", "get plan",
        "get forecasts",
    }  # fmt: skip


def test_every_route_and_every_parameter_is_described(described: JSON) -> None:
    for name, route in routes(described):
        assert route["description"], name
        for parameter in route.get("parameters", []):
            assert parameter["description"], f"{name}: {parameter['name']}"


def test_every_route_has_a_name_of_its_own(described: JSON) -> None:
    names = [route["operationId"] for _, route in routes(described)]
    assert sorted(names) == sorted(set(names))


def test_every_answer_has_a_shape_and_every_refusal_is_a_problem(described: JSON) -> None:
    for name, route in routes(described):
        assert set(route["responses"]) - {"200", "201"} == {"default"}, name
        for status, answer in route["responses"].items():
            ((kind, content),) = answer["content"].items()
            assert content["schema"], name
            assert (kind == "application/problem+json") == (status == "default"), name


def test_the_data_of_a_live_event_has_a_shape(described: JSON) -> None:
    answer = described["paths"]["/api/v1/live"]["get"]["responses"]["200"]
    assert answer["content"] == {
        "text/event-stream": {"schema": {"$ref": "#/components/schemas/TickView"}}
    }


def test_every_reference_leads_somewhere_and_nothing_is_left_over(described: JSON) -> None:
    known = {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert {part["$ref"] for part in parts(described) if "$ref" in part} == known


def test_nothing_needs_another_machine(described: JSON) -> None:
    assert "http" not in str(described).replace("HTTP", "")
