"""An Octopus Energy server without Octopus: the real paths, shapes and refusals, on loopback."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import MAXYEAR, UTC, datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from ohmstead.clock import Clock
from ohmstead.http_server import listening
from ohmstead.model import PriceSlot
from ohmstead.prices.octopus_graphql_simulator import OctopusGraphqlSimulator

__all__ = ["OctopusSimulator"]

LONDON: Final = ZoneInfo("Europe/London")
_VAT: Final = 1.05
_PUBLISHED: Final = time(16)
_MOST_PER_PAGE: Final = 1500
_SLOW_S: Final = 30.0
_KEY: Final = "sk_live_simulated"


class OctopusSimulator:
    """Serves rates, products and one account; tomorrow's rates only once they are published."""

    FAULTS = ("down", "slow", "rate_limited", "too_many", "server_error", "garbage", "empty")

    def __init__(
        self,
        clock: Clock,
        rates: Mapping[str, Sequence[PriceSlot]],
        *,
        agreements: Sequence[tuple[str, datetime, datetime | None]] = (),
        export_agreements: Sequence[tuple[str, datetime, datetime | None]] = (),
    ) -> None:
        """Serve *rates* by tariff code; a code with two registers has ``:day`` and ``:night``."""
        self.clock = clock
        self.rates = dict(rates)
        self.agreements = agreements
        self.export_agreements = export_agreements
        self.faults: set[str] = set()
        self.asked: list[str] = []
        """Every path that was asked for, for tests."""
        self.late = timedelta()
        """How much later than 16:00 tomorrow's prices appear."""
        self.graphql = OctopusGraphqlSimulator(clock, _KEY)
        """The other way to ask the same server: dispatches and events."""
        self._url = ""

    @asynccontextmanager
    async def serve(self, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[int]:
        """Answer on *host* for as long as the block lasts; yields the port."""
        tariff = "/v1/products/{product}/electricity-tariffs/{tariff}"
        routes = [
            Route("/v1/products/", self._guarded(self._products)),
            Route("/v1/products/{product}/", self._guarded(self._product)),
            Route(tariff + "/standing-charges/", self._guarded(self._standing_charges)),
            Route(tariff + "/{kind}-unit-rates/", self._guarded(self._unit_rates)),
            Route("/v1/accounts/{account}/", self._guarded(self._account)),
            Route("/v1/graphql/", self._guarded(self.graphql.answer), methods=["POST"]),
            Route("/v1/industry/grid-supply-points/", self._guarded(self._supply_points)),
        ]
        async with listening(Starlette(routes=routes), host, port) as bound:
            self._url = f"http://{host}:{bound}"
            yield bound

    # ---- what it answers ------------------------------------------------------------

    def _products(self, request: Request) -> Response:
        del request
        codes = sorted({_product_of(code) for code in self.rates})
        return JSONResponse(_page([_about(code) for code in codes], None))

    def _product(self, request: Request) -> Response:
        product = request.path_params["product"]
        codes = [code for code in self.rates if _product_of(code) == product]
        if not codes:
            return JSONResponse({"detail": "No EnergyProduct matches the given query."}, 404)
        single: dict[str, Any] = {}
        dual: dict[str, Any] = {}
        for code in {code.partition(":")[0] for code in codes}:
            kinds = ("day", "night") if "-2R-" in code else ("standard",)
            root = f"{self._url}/v1/products/{product}/electricity-tariffs/{code}"
            links = [
                {"href": f"{root}/standing-charges/", "method": "GET", "rel": "standing_charges"}
            ]
            links += [
                {"href": f"{root}/{kind}-unit-rates/", "method": "GET", "rel": f"{kind}_unit_rates"}
                for kind in kinds
            ]
            offer = {"direct_debit_monthly": {"code": code, "links": links}}
            (dual if "-2R-" in code else single)[f"_{code[-1]}"] = offer
        return JSONResponse(
            _about(product)
            | {
                "single_register_electricity_tariffs": single,
                "dual_register_electricity_tariffs": dual,
                "three_rate_electricity_tariffs": {},
                "four_rate_ev_electricity_tariffs": {},
            }
        )

    def _unit_rates(self, request: Request) -> Response:
        code, kind = request.path_params["tariff"], request.path_params["kind"]
        if "-2R-" in code and kind == "standard":
            detail = "This tariff has day and night rates, not standard."
            return JSONResponse({"detail": detail}, 400)
        slots = self.rates.get(code if kind == "standard" else f"{code}:{kind}")
        if slots is None:
            return JSONResponse({"detail": "No tariff matches the given query."}, 404)
        try:
            start, end, number, size = _asked_for(request)
        except ValueError as exc:
            return JSONResponse({"detail": str(exc)}, 400)
        horizon = self._published_until()
        seen = [
            _rate(slot)
            for slot in sorted(slots, key=lambda slot: slot.start, reverse=True)
            if (start is None or slot.end > start)
            and (end is None or slot.start < end)
            and slot.start < horizon
        ]
        if "empty" in self.faults:
            seen = []
        begin = (number - 1) * size
        following = None
        if begin + size < len(seen):
            url = request.url.include_query_params(page=number + 1)
            following = f"{self._url}{url.path}?{url.query}"
        return JSONResponse(_page(seen[begin : begin + size], following, len(seen)))

    def _standing_charges(self, request: Request) -> Response:
        del request
        charge = {
            "value_exc_vat": 40.0, "value_inc_vat": 42.0, "valid_from": "2024-10-01T00:00:00Z",
            "valid_to": None, "payment_method": None,
        }  # fmt: skip
        return JSONResponse(_page([charge], None))

    def _account(self, request: Request) -> Response:
        wanted = base64.b64encode(f"{_KEY}:".encode()).decode()
        if request.headers.get("Authorization") != f"Basic {wanted}":
            return JSONResponse({"detail": "Invalid API key."}, 401)
        meters = [
            {
                "mpan": f"100000000000{int(export)}", "profile_class": 1, "is_export": export,
                "consumption_standard": 3000,
                "meters": [{"serial_number": "00A0000000", "registers": []}],
                "agreements": [
                    {
                        "tariff_code": code,
                        "valid_from": start.isoformat(),
                        "valid_to": end and end.isoformat(),
                    }
                    for code, start, end in agreements
                ],
            }
            for export, agreements in ((False, self.agreements), (True, self.export_agreements))
            if agreements
        ]  # fmt: skip
        home = {
            "id": 1, "moved_in_at": "2024-01-01T00:00:00Z", "moved_out_at": None,
            "electricity_meter_points": meters, "gas_meter_points": [],
        }  # fmt: skip
        return JSONResponse({"number": request.path_params["account"], "properties": [home]})

    def _supply_points(self, request: Request) -> Response:
        del request
        return JSONResponse(_page([{"group_id": "_C"}], None))

    # ---- how it is done -------------------------------------------------------------

    def _guarded(
        self, answer: Callable[[Request], Response | Awaitable[Response]]
    ) -> Callable[[Request], Any]:
        async def guarded(request: Request) -> Response:
            self.asked.append(request.url.path)
            refusals = {
                "rate_limited": HTMLResponse(
                    "<html><h1>403 ERROR</h1>Request blocked.</html>", 403
                ),
                "too_many": JSONResponse({"detail": "Throttled."}, 429, {"Retry-After": "900"}),
                "server_error": PlainTextResponse("upstream connect error", 502),
                "garbage": PlainTextResponse("<!doctype html>maintenance", 200),
                "down": PlainTextResponse("down for maintenance", 503),
            }
            for fault, refusal in refusals.items():
                if fault in self.faults:
                    return refusal
            if "slow" in self.faults:
                await asyncio.sleep(_SLOW_S)
            answered = answer(request)
            return await answered if isinstance(answered, Awaitable) else answered

        return guarded

    def _published_until(self) -> datetime:
        """Rates are known up to 23:00, from 16:00 on (or later) up to 23:00 tomorrow."""
        local = (self.clock.now() - self.late).astimezone(LONDON)
        days = 1 if local.time() >= _PUBLISHED else 0
        return datetime.combine(local.date() + timedelta(days=days), time(23), LONDON)


def _asked_for(request: Request) -> tuple[datetime | None, datetime | None, int, int]:
    query = request.query_params
    start, end = (_moment(query.get(name)) for name in ("period_from", "period_to"))
    if end is not None and start is None:
        raise ValueError("period_to needs period_from.")
    size = int(query.get("page_size", "100"))
    if not 1 <= size <= _MOST_PER_PAGE:
        raise ValueError(f"page_size is at most {_MOST_PER_PAGE}.")
    return start, end, int(query.get("page", "1")), size


def _moment(text: str | None) -> datetime | None:
    """Read a moment as Octopus does: without a zone it is London's."""
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=LONDON) if moment.tzinfo is None else moment


def _rate(slot: PriceSlot) -> Mapping[str, Any]:
    pence = round(slot.per_kwh * 100, 4)
    return {
        "value_exc_vat": round(pence / _VAT, 4),
        "value_inc_vat": pence,
        "valid_from": f"{slot.start.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        # A slot without an end in sight is one that holds until further notice.
        "valid_to": f"{slot.end.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        if slot.end.year < MAXYEAR
        else None,
        "payment_method": None,
    }


def _page(results: Iterable[Any], following: str | None, count: int | None = None) -> Any:  # noqa: ANN401 - JSON
    rows = list(results)
    counted = len(rows) if count is None else count
    return {"count": counted, "next": following, "previous": None, "results": rows}


def _about(product: str) -> dict[str, Any]:
    return {
        "code": product, "full_name": product.title(), "display_name": product.title(),
        "direction": "EXPORT" if "OUTGOING" in product or "EXPORT" in product else "IMPORT",
        "is_variable": True, "is_green": False, "is_tracker": False, "is_prepay": False,
        "is_business": False, "available_from": "2024-10-01T00:00:00+01:00",
        "available_to": None, "brand": "OCTOPUS_ENERGY",
    }  # fmt: skip


def _product_of(code: str) -> str:
    return code.partition(":")[0].split("-", 2)[2].rpartition("-")[0]
