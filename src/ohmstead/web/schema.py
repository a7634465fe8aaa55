"""The shapes of the API. Names are the model's own; times are UTC, ending in Z."""

from collections.abc import Sequence
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer

from ohmstead.model import (
    LONGEST,
    Advice,
    Applied,
    BatteryCommand,
    BatteryMode,
    Button,
    Choice,
    CommandResult,
    Decision,
    DeviceSnapshot,
    Instant,
    JournalEntry,
    Point,
    PriceCurve,
    Range,
    Refused,
    Request,
    SiteSnapshot,
    Switch,
    Text,
    Tick,
    TimeOfDay,
    Value,
    Writable,
)

__all__ = [
    "AheadView",
    "CommandView",
    "CurveView",
    "DecisionView",
    "DeviceView",
    "HealthView",
    "JournalView",
    "NewRequest",
    "NewValue",
    "PointView",
    "PricesView",
    "ProblemView",
    "RequestView",
    "ResultView",
    "SiteView",
    "TickView",
    "curve_view",
    "decision_view",
    "device_view",
    "journal_view",
    "point_view",
    "request_view",
    "result_view",
    "site_view",
    "tick_view",
]

Shown = Annotated[
    bool | int | float | str | None,
    Field(description="A number, a word, on or off; a time as HH:MM; null when nobody measured it"),
]
Moment = Annotated[datetime, PlainSerializer(lambda at: at.isoformat().replace("+00:00", "Z"))]


class _View(BaseModel):
    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True)


class CommandView(_View):
    """What a battery shall do."""

    mode: BatteryMode
    power_w: float | None = None
    soc_pct: float | None = None
    until: Moment | None = None


class AdviceView(_View):
    """What one strategy said."""

    strategy: str
    reason: str
    spoke: bool
    """It narrowed what the battery may do."""
    blind: bool
    overruled: bool


class AheadView(_View):
    """A charge in a device's own timers, which it begins and ends by itself."""

    device: str
    start: Moment
    until: Moment
    soc_pct: float | None = None
    """Its target."""


class DecisionView(_View):
    """A decision, who made it, and what every strategy said."""

    at: Moment
    command: CommandView | None
    strategy: str
    reason: str
    trail: list[AdviceView]
    ahead: list[AheadView] = []
    """Charges that come even if nobody commands any more."""


class ResultView(_View):
    """How a command ended."""

    device: str
    outcome: Literal["applied", "refused", "failed"]
    why: str = ""
    wrote: dict[str, Shown] = {}
    """Each point that was written, with its new value."""


class DeviceView(_View):
    """A device, and how it is."""

    name: str
    family: str
    trouble: str | None
    last_seen: Moment | None
    values: dict[str, Shown]
    doubts: dict[str, str]
    """Why a value is missing."""


class SlotView(_View):
    """One price."""

    start: Moment
    end: Moment
    per_kwh: float
    kind: str = ""
    """What makes it other than the tariff's own price: dispatch, saving_session, …"""
    confidence: float = 1.0
    """How sure it is that the price will hold, from 0 to 1."""


class CurveView(_View):
    """Prices of one direction."""

    currency: str
    source: str
    fetched_at: Moment | None
    age_s: float | None
    ends: Moment | None
    slots: list[SlotView]


class PricesView(_View):
    """What buying and selling costs; null where no source is configured or answers."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True, populate_by_name=True)

    buy: CurveView | None = Field(default=None, alias="import")
    sell: CurveView | None = Field(default=None, alias="export")


class SiteView(_View):
    """The house now. Powers count positive into the house; battery_w above zero discharges."""

    at: Moment
    timezone: str
    grid_w: float | None
    pv_w: float | None
    battery_w: float | None
    load_w: float | None
    soc_pct: float | None
    mode: BatteryMode | None
    mode_since: Moment | None
    import_per_kwh: float | None
    export_per_kwh: float | None
    plan_trouble: str | None
    """Why there is no new plan; null while all is well, or nobody plans."""


class TickView(_View):
    """One turn of the loop, as the live events tell it."""

    site: SiteView
    decision: DecisionView
    devices: list[DeviceView]
    results: list[ResultView]
    took_s: float


class PointView(_View):
    """One value of a device, and what may be written to it."""

    key: str
    label: str
    unit: str | None
    kind: str
    category: str
    value: Shown
    missing: str | None
    """Why there is no value."""
    age_s: float | None
    """How long ago the device said it; null when there is no value."""
    options: list[str]
    writable: dict[str, Any] | None
    """How to write it: type, and low, high, step, options or length; null when it is read-only."""
    opt_in: bool
    """Writable only once the owner allowed configuration to be changed on this device."""


class RequestView(_View):
    """Something somebody asked for."""

    id: str
    asked_by: str
    made_at: Moment
    until: Moment | None
    command: CommandView
    why: str


class NewRequest(_View):
    """A wish: a mode of the battery, for a time."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    mode: BatteryMode
    minutes: float | None = Field(default=None, gt=0, le=LONGEST / timedelta(minutes=1))
    """For how long, from now."""
    until: datetime | None = None
    """Or until when, with a zone; as long at most."""
    power_w: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    soc_pct: float | None = Field(default=None, ge=0, le=100)
    why: str = Field(default="", max_length=200)


class NewValue(_View):
    """A value for one setting."""

    model_config = ConfigDict(extra="forbid")

    value: bool | int | float | str
    why: str = Field(default="", max_length=200)


class JournalView(_View):
    """One write to a device."""

    id: int
    at: Moment
    device: str
    point: str
    old: Shown
    new: Shown
    asked_by: str
    why: str
    state: str
    detail: str
    lease: bool
    """It will be undone when its command ends."""
    until: Moment | None
    """When that is."""


class HealthView(_View):
    """Whether the service does its work."""

    ok: bool
    reasons: list[str]
    """Why not."""
    notes: list[str]
    """What is amiss and does not keep it from its work: a forecast's source, a plan's renewal."""
    last_tick: Moment | None
    version: str


class ProblemView(_View):
    """Why something cannot be answered as asked, and what to do (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    """One sentence for people."""
    errors: list[dict[str, str]] = []
    """Each field that is wrong, as `field` and `problem`."""


def site_view(site: SiteSnapshot) -> SiteView:
    """Return the house as the API shows it."""
    buy, sell = (
        curve.at(site.at) if curve else None for curve in (site.prices.buy, site.prices.sell)
    )
    return SiteView(
        at=site.at,
        timezone=str(site.timezone),
        grid_w=site.grid_w,
        pv_w=site.pv_w,
        battery_w=site.battery_w,
        load_w=site.load_w,
        soc_pct=site.soc_pct,
        mode=site.mode,
        mode_since=site.mode_since,
        import_per_kwh=buy.per_kwh if buy else None,
        export_per_kwh=sell.per_kwh if sell else None,
        plan_trouble=site.plan_trouble,
    )


def tick_view(tick: Tick) -> TickView:
    """Return one turn as the API shows it."""
    return TickView(
        site=site_view(tick.snapshot),
        decision=decision_view(tick.decision, tick.results),
        devices=[device_view(device) for device in tick.snapshot.devices.values()],
        results=[result_view(result) for result in tick.results],
        took_s=round(tick.took_s, 4),
    )


def decision_view(decision: Decision, results: Sequence[CommandResult] = ()) -> DecisionView:
    """Return a decision as the API shows it; *results* tell what it left in timers."""
    return DecisionView(
        at=decision.at,
        command=_command(decision.command),
        strategy=decision.strategy,
        reason=decision.reason,
        trail=[_advice(advice) for advice in decision.trail],
        ahead=[
            AheadView(
                device=result.device,
                start=result.ahead.start,
                until=result.ahead.until,
                soc_pct=result.ahead.soc_pct,
            )
            for result in results
            if isinstance(result, Applied) and result.ahead is not None
        ],
    )


def device_view(device: DeviceSnapshot) -> DeviceView:
    """Return a device as the API shows it."""
    reading = device.reading
    return DeviceView(
        name=device.name,
        family=device.family,
        trouble=device.trouble,
        last_seen=device.last_seen,
        values={k: _shown(v) for k, v in reading.values.items()} if reading else {},
        doubts=dict(reading.doubts) if reading else {},
    )


def result_view(result: CommandResult) -> ResultView:
    """Return how a command ended as the API shows it."""
    wrote = () if isinstance(result, Refused) else result.wrote
    outcome = type(result).__name__.lower()
    return ResultView(
        device=result.device,
        outcome=outcome,
        why="" if isinstance(result, Applied) else result.why,
        wrote={write.point: _shown(write.new) for write in wrote},
    )


def curve_view(curve: PriceCurve | None, now: datetime) -> CurveView | None:
    """Return prices as the API shows them."""
    if curve is None:
        return None
    age = curve.age(now)
    return CurveView(
        currency=curve.currency,
        source=curve.source,
        fetched_at=curve.fetched_at,
        age_s=None if age is None else age.total_seconds(),
        ends=curve.ends,
        slots=[
            SlotView(
                start=s.start,
                end=s.end,
                per_kwh=s.per_kwh,
                kind=s.kind,
                confidence=s.confidence,
            )
            for s in curve
        ],
    )


def point_view(point: Point, device: DeviceSnapshot | None, now: datetime) -> PointView:
    """Return a point with its value as the API shows it."""
    reading = device.reading if device else None
    value = reading.values.get(point.key) if reading else None
    missing = None
    if value is None:
        missing = (device.trouble if device else None) or (
            reading.doubts.get(point.key, "the device has not said it")
            if reading
            else "not read yet"
        )
    return PointView(
        key=point.key,
        label=point.label,
        unit=point.unit,
        kind=point.kind,
        category=point.category,
        value=_shown(value),
        missing=missing,
        age_s=None if value is None or reading is None else (now - reading.at).total_seconds(),
        options=list(point.options),
        writable=_writable(point.writable),
        opt_in=point.opt_in,
    )


def request_view(request: Request) -> RequestView:
    """Return a request as the API shows it; a change of a setting is no lasting request."""
    assert isinstance(request.want, BatteryCommand)  # noqa: S101 - the inbox keeps no others
    command = _command(request.want)
    assert command is not None  # noqa: S101 - of a command there is a view
    return RequestView(
        id=request.id,
        asked_by=request.asked_by,
        made_at=request.made_at,
        until=request.until,
        command=command,
        why=request.why,
    )


def journal_view(entry: JournalEntry) -> JournalView:
    """Return an entry of the journal as the API shows it."""
    return JournalView(
        id=entry.id,
        at=entry.at,
        device=entry.device,
        point=entry.point,
        old=_shown(entry.old),
        new=_shown(entry.new),
        asked_by=entry.asked_by,
        why=entry.why,
        state=entry.state,
        detail=entry.detail,
        lease=entry.lease,
        until=entry.until,
    )


def _command(command: BatteryCommand | None) -> CommandView | None:
    if command is None:
        return None
    return CommandView(
        mode=command.mode, power_w=command.power_w, soc_pct=command.soc_pct, until=command.until
    )


def _advice(advice: Advice) -> AdviceView:
    return AdviceView(
        strategy=advice.strategy,
        reason=advice.reason,
        spoke=advice.room is not None and not advice.overruled and not advice.blind,
        blind=advice.blind,
        overruled=advice.overruled,
    )


def _shown(value: Value | None) -> bool | float | str | None:
    if isinstance(value, datetime):
        return value.isoformat()
    return f"{value:%H:%M}" if isinstance(value, time) else value


def _writable(writable: Writable | None) -> dict[str, Any] | None:
    match writable:
        case None:
            return None
        case Range(low=low, high=high, step=step):
            return {"type": "range", "low": low, "high": high, "step": step}
        case Choice(options=options):
            return {"type": "choice", "options": list(options)}
        case Text(length=length):
            return {"type": "text", "length": length}
        case Switch() | TimeOfDay() | Instant() | Button():
            names = {Switch: "switch", TimeOfDay: "time", Instant: "datetime", Button: "button"}
            return {"type": names[type(writable)]}
