"""Every error this package raises, in one tree.

OhmsteadError
├── ConfigError            the user must edit a file; the message says which key and line
├── NotWritable            a value outside its point's range -> refuse, nothing was written
├── RequestError           a request that cannot be understood -> tell the asker, change nothing
├── JournalError           the journal cannot be written -> no write may be sent
├── HistoryError           the history cannot be read or written -> control goes on without it
├── ProblemError           a planning problem that has no meaning -> the asker mends it
├── OutputError            one output cannot do its work -> it begins again later, the house goes on
├── DeviceError            one device is unusable for now; the others carry on
│   ├── DeviceUnreachable      no answer in time     -> the poller backs off
│   ├── DeviceBusy             asked us to wait      -> the link retries reads
│   ├── DeviceProtocolError    answered nonsense     -> capture it, report a bug
│   ├── DeviceRefused          answered with an error code -> the value or register is not for it
│   └── WriteNotConfirmed      read-back differs     -> the site reports it
├── PriceSourceError       tariff data missing or unusable -> carry on with the last curve
│   └── PriceSourceBusy        asked us to wait, perhaps saying for how long
└── ForecastError          a forecast cannot be had -> carry on with the last one, or our own
    └── ForecastBusy           asked us to wait, perhaps saying for how long

Nothing from a third-party library crosses a module boundary: links/, prices/,
forecasts/ and outputs/ translate at the call, with ``raise ... from exc``.
"""

__all__ = [
    "ConfigError",
    "DeviceBusy",
    "DeviceError",
    "DeviceProtocolError",
    "DeviceRefused",
    "DeviceUnreachable",
    "ForecastBusy",
    "ForecastError",
    "HistoryError",
    "JournalError",
    "NotWritable",
    "OhmsteadError",
    "OutputError",
    "PriceSourceBusy",
    "PriceSourceError",
    "ProblemError",
    "RequestError",
    "WriteNotConfirmed",
]


class OhmsteadError(Exception):
    """Base of every error raised on purpose by this package."""


class ConfigError(OhmsteadError):
    """The configuration cannot be used as written."""


class NotWritable(OhmsteadError):
    """A setting is unknown or read-only, or the value is outside its range."""


class RequestError(OhmsteadError):
    """A request cannot be understood, or names something that is not there."""


class JournalError(OhmsteadError):
    """The journal cannot be read or written, so nothing may be sent to a device."""


class OutputError(OhmsteadError):
    """An output cannot do its work for now; nothing else is touched."""


class HistoryError(OhmsteadError):
    """The history, or a file of it, cannot be read or written; control goes on without it."""


class ProblemError(OhmsteadError):
    """A planning problem cannot be read, or has no meaning."""


class DeviceError(OhmsteadError):
    """One device is unusable for now; the rest of the site carries on."""

    def __init__(self, device: str, detail: str) -> None:
        """Name the *device* first, then what went wrong."""
        super().__init__(f"{device}: {detail}")
        self.device = device
        self.detail = detail


class DeviceUnreachable(DeviceError):
    """The device did not answer within its timeout."""


class DeviceBusy(DeviceError):
    """The device asked us to come back later."""


class DeviceProtocolError(DeviceError):
    """The device sent something that its protocol does not allow."""


class DeviceRefused(DeviceError):
    """The device answered a request with an error code of its protocol."""

    def __init__(self, device: str, detail: str, code: int) -> None:
        """Keep the protocol's own error *code* beside the sentence."""
        super().__init__(device, detail)
        self.code = code


class WriteNotConfirmed(DeviceError):
    """A write was sent, and the device does not show the value that was written."""


class PriceSourceError(OhmsteadError):
    """Prices cannot be had from their source for now."""


class PriceSourceBusy(PriceSourceError):
    """The source asked us to come back later."""

    def __init__(self, detail: str, retry_after_s: float | None) -> None:
        """Keep how long the source asked us to wait, when it said so."""
        super().__init__(detail)
        self.retry_after_s = retry_after_s


class ForecastError(OhmsteadError):
    """A forecast cannot be had from its source for now."""


class ForecastBusy(ForecastError):
    """The source asked us to come back later."""

    def __init__(self, detail: str, retry_after_s: float | None) -> None:
        """Keep how long the source asked us to wait, when it said so."""
        super().__init__(detail)
        self.retry_after_s = retry_after_s
