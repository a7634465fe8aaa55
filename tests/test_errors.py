"""The error tree stays one tree, drawn whole, and its messages name the device first."""

import importlib
import pkgutil

import pytest

import ohmstead
from ohmstead import errors
from ohmstead.errors import (
    DeviceBusy,
    DeviceError,
    DeviceProtocolError,
    DeviceRefused,
    DeviceUnreachable,
    OhmsteadError,
    PriceSourceBusy,
    PriceSourceError,
    WriteNotConfirmed,
)

TREE = {name: value for name, value in vars(errors).items() if isinstance(value, type)}


def test_every_exception_we_define_is_an_ohmstead_error() -> None:
    strays = {
        value.__qualname__
        for module in pkgutil.walk_packages(ohmstead.__path__, "ohmstead.")
        if module.name != "ohmstead.__main__"
        for value in vars(importlib.import_module(module.name)).values()
        if isinstance(value, type)
        and issubclass(value, BaseException)
        and value.__module__.startswith("ohmstead.")
        and not issubclass(value, OhmsteadError)
    }
    assert strays == set()


def test_the_drawing_names_every_error() -> None:
    assert [name for name in TREE if name not in (errors.__doc__ or "")] == []


def test_the_drawing_shows_who_stands_under_whom() -> None:
    drawn: dict[str, str] = {}
    above = ["OhmsteadError"]
    for line in (errors.__doc__ or "").splitlines():
        branch, mark, rest = line.partition("── ")
        if mark:
            depth = len(branch) // 4 + 1
            name = rest.split()[0]
            above[depth:] = [name]
            drawn[name] = above[depth - 1]
    assert drawn == {
        name: kind.__base__.__name__
        for name, kind in TREE.items()
        if kind is not OhmsteadError and kind.__base__ is not None
    }


def test_every_error_is_public() -> None:
    assert sorted(TREE) == sorted(errors.__all__)


@pytest.mark.parametrize(
    "kind",
    [DeviceError, DeviceUnreachable, DeviceBusy, DeviceProtocolError, WriteNotConfirmed],
)
def test_a_devices_error_names_the_device_first(kind: type[DeviceError]) -> None:
    error = kind("garage", "no answer in 5 s")
    assert str(error) == "garage: no answer in 5 s"
    assert (error.device, error.detail) == ("garage", "no answer in 5 s")
    assert isinstance(error, DeviceError)


def test_a_refusal_keeps_the_protocols_own_code() -> None:
    error = DeviceRefused("garage", "value out of range", 3)
    assert str(error) == "garage: value out of range"
    assert error.code == 3


@pytest.mark.parametrize("wait_s", [None, 30.0], ids=["unsaid", "30 s"])
def test_a_busy_price_source_may_say_how_long_to_wait(wait_s: float | None) -> None:
    error = PriceSourceBusy("too many requests", wait_s)
    assert str(error) == "too many requests"
    assert error.retry_after_s == wait_s
    assert isinstance(error, PriceSourceError)
