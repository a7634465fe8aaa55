"""Tells a broker everything, and listens there for commands."""

from datetime import tzinfo
from pathlib import Path

from ohmstead.clock import Clock
from ohmstead.outputs.mqtt_settings import MqttSettings
from ohmstead.ports import SitePort

__all__ = ["MqttOutput", "MqttSettings"]


class MqttOutput:
    """One broker."""

    def __init__(
        self,
        settings: MqttSettings,
        *,
        site_name: str,
        timezone: tzinfo,
        clock: Clock,
        data_dir: Path | None,
    ) -> None:
        """Be ready to tell the broker in *settings* of the site."""
        self._settings = settings
        self._site_name = site_name
        self._timezone = timezone
        self._clock = clock
        self._data_dir = data_dir

    async def run(self, site: SitePort) -> None:
        """Tell and listen for ever."""
        async for _ in site.ticks():
            pass
