"""Puts the page, the API and the doorkeeper together, and serves them."""

import asyncio
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles
from starlette.responses import FileResponse

from ohmstead.clock import Clock
from ohmstead.http_server import listening
from ohmstead.ports import ForecastSources, HistoryPort, SitePort
from ohmstead.web.api import make_api
from ohmstead.web.auth import Doorkeeper
from ohmstead.web.forecasts import make_forecasts_api
from ohmstead.web.history import make_history
from ohmstead.web.live import Live
from ohmstead.web.plan import make_plan_api
from ohmstead.web.problems import add_problems
from ohmstead.web.schema import ProblemView
from ohmstead.web.settings import WebSettings

__all__ = ["make_app", "serve"]

log = logging.getLogger(__name__)

_STATIC: Final = Path(__file__).with_name("static")


async def serve(
    site: SitePort,
    settings: WebSettings,
    clock: Clock,
    version: str,
    on_ready: Callable[[int], None] | None = None,
    *,
    history: HistoryPort | None = None,
    forecasts: ForecastSources | None = None,
) -> None:
    """Serve the page and the API of *site* until cancelled; tells *on_ready* the port."""
    live = Live(site)
    app = make_app(site, live, clock, version, history, forecasts)
    async with (
        listening(Doorkeeper(app, settings), settings.host, settings.port) as port,
        asyncio.TaskGroup() as group,
    ):
        log.info("the page is on http://%s:%d", settings.host, port)
        group.create_task(live.run())
        if on_ready is not None:
            on_ready(port)


def make_app(
    site: SitePort,
    live: Live,
    clock: Clock,
    version: str,
    history: HistoryPort | None = None,
    forecasts: ForecastSources | None = None,
) -> FastAPI:
    """Return the application, without anybody at the door."""
    app = _App(
        title="Ohmstead",
        version=version,
        description="One house: what it does, why, and what may be asked of it.",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,  # the usual pages load their parts from elsewhere
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    sources = forecasts or ForecastSources()
    add_problems(app)
    app.include_router(make_api(site, live, clock, version, sources))
    app.include_router(make_history(history))
    app.include_router(make_plan_api(site))
    app.include_router(make_forecasts_api(sources, clock))

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(_STATIC / "index.html")

    app.mount("/static", StaticFiles(directory=_STATIC), name="static")

    return app


class _App(FastAPI):
    def openapi(self) -> dict[str, Any]:
        """Describe the API, and the problem that every route may answer with."""
        described = super().openapi()
        described["components"]["schemas"]["ProblemView"] = ProblemView.model_json_schema()
        live = described["paths"]["/api/v1/live"]["get"]["responses"]["200"]["content"]
        live["text/event-stream"]["schema"].pop("type", None)  # each event is an object, no string
        return described
