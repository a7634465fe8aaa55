"""One inverter's routes of the cloud: what may be repeated is, and whoever wants rest gets it."""

import asyncio
import logging
from dataclasses import replace
from typing import Any, Final

from ohmstead.clock import Clock
from ohmstead.devices.givenergy_cloud.api import (
    UNSETTLED,
    code_of,
    data_of,
    refusal_of,
    sent,
    shown_of,
    unsettled,
)
from ohmstead.devices.givenergy_cloud.points import Setting
from ohmstead.devices.givenergy_cloud.settings import GivEnergyCloudSettings
from ohmstead.errors import DeviceBusy, DeviceRefused
from ohmstead.links.http import HttpPatience, Page, get_json, post_json
from ohmstead.model import Value

__all__ = ["GivEnergyCloudClient"]

log = logging.getLogger(__name__)

_REST_S: Final = 60.0
"""How long to leave the cloud alone that was asked too often and did not say how long."""
_TOO_MANY: Final = 429
_SERVER_TROUBLE: Final = 500
_CONTEXT: Final = "ohmstead"
"""Stands beside each of our reads and writes in the portal's log."""


class GivEnergyCloudClient:
    """Asks and tells, one request at a time."""

    def __init__(
        self,
        device: str,
        settings: GivEnergyCloudSettings,
        clock: Clock,
        patience: HttpPatience | None = None,
    ) -> None:
        """Speak for *device*; nothing is sent yet."""
        self._device = device
        self._key = settings.api_key
        self._root = f"{settings.base_url}/inverter/{settings.serial}"
        self._clock = clock
        self._patience = patience or HttpPatience(
            timeout_s=settings.reply_s, attempts=3, pause_s=settings.pause_s
        )
        self._turn = asyncio.Lock()
        self._rest_until_s = clock.monotonic()

    async def get(self, what: str) -> Any:  # noqa: ANN401 - JSON, taken apart by the caller
        """Return the data that the cloud has at hand; the inverter is not asked."""
        async with self._turn:
            self._rested()
            url = f"{self._root}/{what}"
            page = await get_json(url, bearer=self._key, patience=self._patience)
        return data_of(self._device, self._noted(page))

    async def ask(self, setting: Setting) -> Value | None:
        """Return what *setting* holds: the cloud asks the inverter itself, which takes seconds."""
        async with self._turn:
            self._rested()
            page = await post_json(
                f"{self._root}/settings/{setting.id}/read",
                {"context": _CONTEXT},
                bearer=self._key,
                again=unsettled,
                patience=self._patience,
            )
        return shown_of(self._device, setting, self._noted(page))

    async def tell(self, setting: Setting, value: Value) -> None:
        """Send *value* once; where it may have been carried out all the same, only say so."""
        async with self._turn:
            self._rested()
            page = await post_json(
                f"{self._root}/settings/{setting.id}/write",
                {"value": sent(setting, value), "context": _CONTEXT},
                bearer=self._key,
                patience=self._patience,
            )
        page, key = self._noted(page), setting.point.key
        code = code_of(page)
        if page.status == 0 or page.status >= _SERVER_TROUBLE or code in UNSETTLED:
            why = page.trouble if code is None else refusal_of(self._device, setting, code).detail
            log.warning("%s: writing %s: %s; looking whether it was stored", self._device, key, why)
            return
        if code is not None:
            raise refusal_of(self._device, setting, code)
        data = data_of(self._device, page)
        if isinstance(data, dict) and data.get("success") is False:
            said = self._without_key(str(data.get("message") or "no reason was given"))
            raise DeviceRefused(self._device, f"{key}: not written: {said}", 0)

    # ---- how it is done -------------------------------------------------------------

    def _rested(self) -> None:
        left_s = self._rest_until_s - self._clock.monotonic()
        if left_s > 0:
            said = f"GivEnergy's cloud was asked too often; left alone for {left_s:.0f} s more"
            raise DeviceBusy(self._device, said)

    def _noted(self, page: Page) -> Page:
        if page.status == _TOO_MANY:
            rest_s = _REST_S if page.retry_after_s is None else page.retry_after_s
            self._rest_until_s = self._clock.monotonic() + rest_s
        return replace(page, trouble=self._without_key(page.trouble))

    def _without_key(self, text: str) -> str:
        """Return *text* of others, short and without what is secret."""
        return text.replace(self._key, "…")[:200]
