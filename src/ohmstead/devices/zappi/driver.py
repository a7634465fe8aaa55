"""A zappi by its hub's API: what the car draws, and how it may be charged."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import tzinfo
from types import TracebackType
from typing import Any, Final, Self

from ohmstead.clock import Clock
from ohmstead.devices.zappi.api import (
    COMMAND_FAILED,
    Status,
    path_for,
    server_of,
    status_of,
    trouble_of,
)
from ohmstead.devices.zappi.points import POINTS
from ohmstead.devices.zappi.settings import ZappiSettings
from ohmstead.errors import DeviceError, DeviceRefused, DeviceUnreachable, NotWritable
from ohmstead.links.http import HttpPatience, Page, get_json
from ohmstead.model import ChargerReading, Point, Reading, SettingChange, Value

__all__ = ["ZappiDriver", "ZappiSettings"]

log = logging.getLogger(__name__)

_STATUS: Final = "/cgi-jstatus-Z"
_LOOKS: Final = 6
"""How often to look whether a change has arrived: hub and zappi speak by radio."""
_ONCE: Final = 1


class ZappiDriver:
    """One zappi."""

    family = "zappi"

    def __init__(
        self,
        name: str,
        settings: ZappiSettings,
        clock: Clock,
        timezone: tzinfo,
        *,
        patience: HttpPatience | None = None,
    ) -> None:
        """Drive the zappi called *name*; nothing is asked yet."""
        del timezone  # a zappi tells UTC
        self.name = name
        self._settings = settings
        self._clock = clock
        self._patience = patience or HttpPatience(timeout_s=settings.reply_s)
        self._root = f"http://{settings.host}" if settings.host else settings.base_url
        self._server = self._root
        self._turn = asyncio.Lock()
        self._writing = asyncio.Lock()

    async def __aenter__(self) -> Self:
        """Do nothing: there is no connection to keep."""
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing: there is no connection to close."""

    @property
    def points(self) -> Mapping[str, Point]:
        """All its points by key."""
        if self._settings.read_only:
            return {key: replace(point, writable=None) for key, point in POINTS.items()}
        return POINTS

    async def news(self) -> None:
        """Wait for ever: a hub never speaks unasked."""
        await asyncio.Event().wait()

    async def read(self) -> Reading:
        """Return what the zappi last told its hub."""
        status, now = await self._status(), self._clock.now()
        at = now if status.at is None else min(status.at, now)
        age_s = (now - at).total_seconds()
        if age_s > self._settings.stale_s:
            raise DeviceUnreachable(
                self.name, f"the hub last heard of it {age_s / 60:.0f} minutes ago"
            )
        values = dict(status.values) | {"data_age_s": round(age_s)}
        plug = values["plug"]
        return Reading(
            device=self.name,
            at=at,
            values=values,
            doubts=status.doubts,
            charger=ChargerReading(
                power_w=_at_least_0(values["power_w"]),
                plugged=None if plug in {None, "fault"} else plug != "unplugged",
                charging=None if plug is None else plug == "charging",
                session_kwh=_at_least_0(values["session_kwh"]),
                inside_meter=self._settings.behind == "inside",
            ),
        )

    async def setting(self, point: str) -> Value | None:
        """Ask the hub for the value *point* holds now."""
        if point not in POINTS:
            raise NotWritable(f"{self.name} has no setting {point}")
        return (await self._status()).values.get(point)

    async def change(self, change: SettingChange) -> Value | None:
        """Send one value, once, and return what the zappi shows once it has taken it."""
        if self._settings.read_only:
            raise NotWritable(f"{self.name} is configured as read_only")
        async with self._writing:
            if change.point not in POINTS:
                raise NotWritable(f"{self.name} has no setting {change.point}")
            value = POINTS[change.point].check(change.value)
            before = await self._status()
            path = path_for(before.serial, change.point, value, before.values)
            try:
                await self._get(path, attempts=_ONCE)
            except DeviceUnreachable as exc:
                # It may have arrived all the same: what the zappi shows decides.
                log.warning("%s; looking whether it was taken", exc)
            return await self._shown_after(change.point, value)

    # ---- how it is done -------------------------------------------------------------

    async def _shown_after(self, point: str, value: Value) -> Value | None:
        shown: Value | None = None
        for _ in range(_LOOKS):
            status = await self._status()
            shown = status.values.get(point)
            if shown == value:
                break
            if status.command == COMMAND_FAILED:
                raise DeviceRefused(self.name, f"{point}: the zappi did not take it", 0)
            await self._clock.sleep(self._settings.pause_s)
        return shown

    async def _status(self) -> Status:
        return status_of(self.name, await self._get(_STATUS), self._settings.serial)

    async def _get(self, path: str, attempts: int | None = None) -> Any:  # noqa: ANN401 - JSON
        """Return what is at *path*, from whichever server is said to know of this hub."""
        async with self._turn:
            page = await self._page(path, attempts)
            named = None if self._settings.host else server_of(page)
            moved = named is not None and not self._server.endswith(f"//{named}")
            if moved:
                scheme = self._root.partition("//")[0]
                self._server = f"{scheme}//{named}"
            trouble = trouble_of(self.name, page)
            if trouble is not None and moved:
                trouble = trouble_of(self.name, page := await self._page(path, attempts))
        if trouble is not None:
            self._server = self._server if _settled(trouble) else self._root
            raise trouble
        return page.body

    async def _page(self, path: str, attempts: int | None) -> Page:
        patience = replace(self._patience, attempts=attempts) if attempts else self._patience
        page = await get_json(
            self._server + path,
            digest=(self._settings.hub, self._settings.password),
            patience=patience,
        )
        return replace(page, trouble=self._without_secrets(page.trouble))

    def _without_secrets(self, text: str) -> str:
        for secret in (self._settings.password, self._settings.hub):
            text = text.replace(secret, "…")
        return text[:200]


def _settled(trouble: DeviceError) -> bool:
    """Tell whether another server would say the same."""
    return not isinstance(trouble, DeviceUnreachable)


def _at_least_0(value: Value | None) -> float | None:
    return max(value, 0.0) if isinstance(value, int | float) else None
