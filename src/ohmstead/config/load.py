"""Reads a configuration file; whatever is wrong with it is told by file, line and key."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from ohmstead.config.catalogue import (
    FAMILIES,
    FORECASTS,
    LEAST_POLL_S,
    OUTPUTS,
    PRICE_SOURCES,
    STRATEGIES,
    forecast,
    output,
    price_source,
    settings_type,
    strategy,
    validator,
)
from ohmstead.config.document import Document, Place, nearest, read_document
from ohmstead.config.settings import (
    ControlEntry,
    DeviceEntry,
    ForecastEntry,
    OutputEntry,
    PriceEntry,
    Settings,
    Top,
)
from ohmstead.errors import ConfigError

__all__ = ["HISTORY_SETTINGS", "WEB_SETTINGS", "load", "read_settings"]

HISTORY_SETTINGS: Final = "ohmstead.history.settings:HistorySettings"
WEB_SETTINGS: Final = "ohmstead.web.settings:WebSettings"
_TAKEN: Final = ("availability", "request", "result", "site")
"""Names that stand beside the devices in the topics of MQTT."""
_UNKNOWN_KEY: Final = ("extra_forbidden", "unexpected_keyword_argument")


def load(path: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings in the file *path*; raises ``ConfigError`` listing all that is wrong."""
    return read_settings(read_document(path, environment))


def read_settings(document: Document) -> Settings:
    """Return the settings in *document*; raises ``ConfigError`` listing all that is wrong."""
    return _Reader(document).read()


class _Reader:
    """Checks one document part by part, and keeps every complaint."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._complaints: list[str] = []

    def read(self) -> Settings:
        top = self._check(TypeAdapter(Top), self._document.values, ())
        if not isinstance(top, Top):
            raise self._error()
        devices = [self._device(n, dict(given)) for n, given in enumerate(top.devices)]
        self._unique([(n, d.name) for n, d in enumerate(devices) if d])
        control = [self._strategy(n, given) for n, given in enumerate(top.control)]
        buy = self._price("import", top.prices.buy)
        sell = self._price("export", top.prices.sell)
        forecasts = self._forecasts(top)
        self._carbon(control, forecasts)
        web = self._check(validator(settings_type(WEB_SETTINGS)), top.web or {}, ("web",))
        history = self._check(
            validator(settings_type(HISTORY_SETTINGS)), top.history or {}, ("history",)
        )
        outputs = [self._output(n, given) for n, given in enumerate(top.outputs)]
        if self._complaints:
            raise self._error()
        default = self._document.path.absolute().parent / "var"
        return Settings(
            site=top.site,
            devices=tuple(device for device in devices if device),
            buy=buy,
            sell=sell,
            forecasts=forecasts,
            control=tuple(entry for entry in control if entry),
            outputs=tuple(entry for entry in outputs if entry),
            history=history,
            web=web,
            journal=top.journal,
            data_dir=top.data_dir or default,
        )

    # ---- the parts ------------------------------------------------------------------

    def _device(self, number: int, given: dict[str, Any]) -> DeviceEntry | None:
        place: Place = ("devices", number)
        name, family = given.pop("name", None), given.pop("family", None)
        if not isinstance(name, str) or not name.replace("_", "").isalnum() or not name.islower():
            self._complain(
                (*place, "name"), "a device needs a name in small letters, like inverter"
            )
        if name in _TAKEN:
            self._complain((*place, "name"), f"{name} is the name of a topic; choose another")
        known = FAMILIES.get(family) if isinstance(family, str) else None
        least_s = known.least_poll_s if known else LEAST_POLL_S
        poll_s = given.pop("poll_s", known.poll_s if known else least_s)
        if not isinstance(poll_s, int | float) or poll_s < least_s:
            self._complain((*place, "poll_s"), f"is a number of seconds, {least_s:g} or more")
        if not self._named((*place, "family"), "device family", family, FAMILIES):
            return None
        settings = self._check(validator(FAMILIES[family].settings), given, place)
        return DeviceEntry(name=str(name), family=family, poll_s=poll_s, settings=settings)

    def _unique(self, names: Iterable[tuple[int, str]]) -> None:
        seen: set[str] = set()
        for number, name in names:
            if name in seen:
                self._complain(("devices", number, "name"), f"there is another device {name}")
            seen.add(name)

    def _strategy(self, number: int, given: dict[str, Any]) -> ControlEntry | None:
        place: Place = ("control", number)
        if len(given) != 1:
            self._complain(place, "say one strategy here, like `- price_threshold: {…}`")
            return None
        ((name, values),) = given.items()
        if not self._named((*place, name), "strategy", name, STRATEGIES, key=True):
            return None
        settings = self._check(validator(strategy(name)[1]), values or {}, (*place, name))
        return ControlEntry(strategy=name, settings=settings)

    def _output(self, number: int, given: dict[str, Any]) -> OutputEntry | None:
        place: Place = ("outputs", number)
        if len(given) != 1:
            self._complain(place, "say one output here, like `- mqtt: {…}`")
            return None
        ((name, values),) = given.items()
        if not self._named((*place, name), "output", name, OUTPUTS, key=True):
            return None
        settings = self._check(validator(output(name)[1]), values or {}, (*place, name))
        return OutputEntry(output=name, settings=settings)

    def _price(self, direction: str, given: dict[str, Any] | None) -> PriceEntry | None:
        if given is None:
            return None
        place: Place = ("prices", direction)
        values = dict(given)
        source = values.pop("source", None)
        if not self._named((*place, "source"), "price source", source, PRICE_SOURCES):
            return None
        settings = self._check(validator(price_source(source)[1]), values, place)
        return PriceEntry(source=source, settings=settings)

    def _forecasts(self, top: Top) -> dict[str, ForecastEntry]:
        asked = {kind: getattr(top.forecasts, kind) for kind in FORECASTS}
        entries = [
            self._forecast(kind, dict(given)) for kind, given in asked.items() if given is not None
        ]
        if asked["solar"] is not None and top.site.location is None:
            self._complain(
                ("site", "location"),
                "is missing; the sun's forecast needs it: {latitude: 51.48, longitude: -0.01}",
            )
        return {entry.kind: entry for entry in entries if entry}

    def _carbon(
        self, control: Iterable[ControlEntry | None], forecasts: Mapping[str, ForecastEntry]
    ) -> None:
        for number, entry in enumerate(control):
            if entry is None or "carbon" in forecasts:
                continue
            if getattr(entry.settings, "carbon_per_kg", 0) > 0:
                self._complain(
                    ("control", number, entry.strategy, "carbon_per_kg"),
                    "needs to know what power weighs; say `forecasts: {carbon: {source: uk}}`",
                )

    def _forecast(self, kind: str, given: dict[str, Any]) -> ForecastEntry | None:
        place: Place = ("forecasts", kind)
        source = given.pop("source", None)
        if not self._named((*place, "source"), f"{kind} forecast", source, FORECASTS[kind]):
            return None
        settings = self._check(validator(forecast(kind, source)[1]), given, place)
        return ForecastEntry(kind=kind, source=source, settings=settings)

    # ---- complaints -----------------------------------------------------------------

    def _named(
        self, place: Place, what: str, name: object, known: Iterable[str], *, key: bool = False
    ) -> bool:
        known = list(known)
        if name in known:
            return True
        if name is None:
            self._complain(place, f"is missing; there is {', '.join(known)}")
            return False
        hint = nearest(str(name), known) or f"; there is {', '.join(known)}"
        self._complain(place[:-1] if key else place, f"unknown {what} {name!r}{hint}")
        return False

    def _check(self, adapter: TypeAdapter[Any], values: object, place: Place) -> Any:  # noqa: ANN401 - any settings
        try:
            return adapter.validate_python(values)
        except ValidationError as exc:
            known = _known_keys(adapter)
            errors = exc.errors(include_url=False, include_input=False)
            for error in _worth_saying(errors):
                self._translate(error, place, known)
            return None

    def _translate(self, error: ErrorDetails, place: Place, known: Iterable[str]) -> None:
        """Put one error of pydantic's into a sentence that says where and what to do."""
        inner = _steps(error)
        match error["type"]:
            case unknown if unknown in _UNKNOWN_KEY:
                *around, key = (*place, *inner)
                names = known if len(inner) == 1 else ()
                self._complain(
                    (*around, key), f"unknown key{nearest(str(key), names)}", spelt=tuple(around)
                )
            case "missing" | "missing_keyword_only_argument" | "missing_argument":
                self._complain((*place, *inner), "is missing")
            case "value_error":
                said = error["msg"].removeprefix("Value error, ")
                self._complain((*place, *inner), said)
            case _:
                said = error["msg"].replace("Input should be", "should be")
                self._complain((*place, *inner), said[:1].lower() + said[1:])

    def _complain(self, place: Place, what: str, spelt: Place | None = None) -> None:
        if spelt is not None:
            what = what.replace("unknown key", f"unknown key {place[-1]!r}", 1)
            line = self._document.where(place)
            around = self._document.complaint(spelt, "").removeprefix(self._document.where(spelt))
            self._complaints.append(f"{line}{around}{what}")
            return
        self._complaints.append(self._document.complaint(place, what))

    def _error(self) -> ConfigError:
        return ConfigError("\n  ".join(self._complaints))


def _known_keys(adapter: TypeAdapter[Any]) -> tuple[str, ...]:
    return tuple(adapter.json_schema().get("properties", ()))


def _worth_saying(errors: Sequence[ErrorDetails]) -> Sequence[ErrorDetails]:
    """Leave out what the other branches of a union say about a place or what lies in it."""
    deeper = {_steps(error)[:n] for error in errors for n in range(len(_steps(error)))}
    kept: dict[Place, ErrorDetails] = {}
    for error in errors:
        if _steps(error) not in deeper:
            kept.setdefault(_steps(error), error)
    return list(kept.values())


def _steps(error: ErrorDetails) -> Place:
    *around, last = error["loc"] or ("",)
    steps = tuple(step for step in around if _is_step(step))
    return (*steps, last) if _is_step(last) or error["type"] in _UNKNOWN_KEY else steps


def _is_step(step: object) -> bool:
    """Leave out pydantic's names for the branches of a union: keys are small letters."""
    return isinstance(step, int) or (
        isinstance(step, str)
        and step.replace("_", "a").isidentifier()
        and step.islower()
        and step not in {"bool", "int", "float", "str"}
    )
