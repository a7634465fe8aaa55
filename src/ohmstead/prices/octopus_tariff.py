"""What Octopus' answers mean: tariff codes, agreements, rates. Pure."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any, Final, Literal

from ohmstead.errors import PriceSourceError
from ohmstead.model import PriceSlot

__all__ = [
    "Agreement",
    "PaymentMethod",
    "Tariff",
    "agreements_of",
    "night_windows",
    "rate_links",
    "slots_of",
]

PaymentMethod = Literal["DIRECT_DEBIT", "NON_DIRECT_DEBIT"]

_CODE: Final = re.compile(
    r"^((?P<fuel>[A-Z])-(?P<registers>\d?[0-9A-Z]+R)-)?(?P<product>[A-Z0-9-]+)-(?P<region>[A-P])$"
)
_REGIONS: Final = frozenset("ABCDEFGHJKLMNP")
_NIGHT: Final = (time(0, 30), time(7, 30))
"""When the night rate of a two-register smart meter holds, in UTC (legacy meters differ)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """A tariff code taken apart: E-1R-AGILE-24-10-01-C."""

    code: str
    product: str
    region: str
    two_rates: bool

    @classmethod
    def parse(cls, code: str) -> "Tariff":
        """Return the tariff called *code*; raises ``ValueError`` saying what a code looks like."""
        code = code.strip().upper()
        match = _CODE.match(code)
        if match is None or match["region"] not in _REGIONS:
            raise ValueError(
                f"{code!r} is no tariff code; it looks like E-1R-AGILE-24-10-01-C, "
                "the last letter being your region"
            )
        if match["fuel"] == "G":
            raise ValueError(f"{code} is a gas tariff; the electricity code begins with E")
        return cls(
            code=code,
            product=match["product"],
            region=match["region"],
            two_rates=match["registers"] == "2R",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """One tariff of a meter point, for a time; the end is None while it runs."""

    tariff: Tariff
    start: datetime
    end: datetime | None


def agreements_of(account: Any, *, export: bool) -> Sequence[Agreement]:  # noqa: ANN401 - JSON
    """Return the agreements of an account's import or export meter, oldest first.

    Homes that were moved out of are left aside. Raises ``PriceSourceError`` if there is none.
    """
    found: list[Agreement] = []
    try:
        for home in account["properties"]:
            if home.get("moved_out_at") is not None:
                continue
            for meter in home["electricity_meter_points"]:
                if bool(meter.get("is_export", False)) is export:
                    found += [_agreement(given) for given in meter["agreements"]]
    except (KeyError, TypeError, ValueError) as exc:
        raise PriceSourceError(f"the account cannot be understood: {exc!r}") from exc
    if not found:
        side = "export" if export else "import"
        raise PriceSourceError(f"the account has no {side} meter with an agreement")
    return sorted(found, key=lambda agreement: agreement.start)


def rate_links(product: Any, tariff: Tariff) -> Mapping[str, str]:  # noqa: ANN401 - JSON
    """Return where the rates of *tariff* are, by kind (``standard``, ``day``, ``night``).

    Raises ``PriceSourceError`` if the product does not sell this tariff.
    """
    for table in _tables(product):
        for payments in table.values():
            for offer in payments.values() if isinstance(payments, dict) else ():
                if offer.get("code") == tariff.code:
                    return {
                        link["rel"].removesuffix("_unit_rates"): link["href"]
                        for link in offer.get("links", ())
                        if link["rel"].endswith("_unit_rates")
                    }
    raise PriceSourceError(
        f"{tariff.product} has no tariff {tariff.code}; is the region letter right?"
    )


def slots_of(
    rates: Iterable[Any],
    start: datetime,
    end: datetime,
    *,
    payment: PaymentMethod,
    with_vat: bool = True,
) -> list[PriceSlot]:
    """Return rates as slots between *start* and *end*, open ends closed there.

    Rates for another way of paying are left aside. Raises ``PriceSourceError`` at nonsense.
    """
    key = "value_inc_vat" if with_vat else "value_exc_vat"
    slots = []
    try:
        for rate in rates:
            if rate.get("payment_method") not in {None, payment}:
                continue
            begins = max(_moment(rate["valid_from"]), start) if rate["valid_from"] else start
            ends = min(_moment(rate["valid_to"]), end) if rate["valid_to"] else end
            if begins < ends:
                pounds = round(float(rate[key]) / 100, 6)
                slots.append(PriceSlot(start=begins, end=ends, per_kwh=pounds))
    except (KeyError, TypeError, ValueError) as exc:
        raise PriceSourceError(f"a rate cannot be understood: {exc!r}") from exc
    # Sorted, so that of two rates that overlap the one that begins later counts.
    return sorted(slots, key=lambda slot: slot.start)


def night_windows(start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """Yield the hours of the night rate between *start* and *end*."""
    day = start.astimezone(UTC).date() - timedelta(days=1)
    while (begins := datetime.combine(day, _NIGHT[0], UTC)) < end:
        ends = datetime.combine(day, _NIGHT[1], UTC)
        if ends > start:
            yield max(begins, start), min(ends, end)
        day += timedelta(days=1)


def _tables(product: Any) -> Iterator[Mapping[str, Any]]:  # noqa: ANN401 - JSON
    if not isinstance(product, dict):
        raise PriceSourceError("the product cannot be understood")
    for name, table in product.items():
        if name.endswith("_electricity_tariffs") and isinstance(table, dict):
            yield table


def _agreement(given: Mapping[str, Any]) -> Agreement:
    end = given["valid_to"]
    return Agreement(
        tariff=Tariff.parse(given["tariff_code"]),
        start=_moment(given["valid_from"]),
        end=None if end is None else _moment(end),
    )


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no zone")
    return moment.astimezone(UTC)
