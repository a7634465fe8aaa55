"""A house without the house, and what simulated devices need to be reached in it."""

from ohmstead.simulation.battery import Battery, BatterySettings
from ohmstead.simulation.chance import chance
from ohmstead.simulation.days import SCENARIOS, Scenario, agile_prices
from ohmstead.simulation.house import Energies, House, HouseSettings, self_use
from ohmstead.simulation.load import HouseLoad, LoadSettings
from ohmstead.simulation.serve import Client, Clients
from ohmstead.simulation.sun import PvArray, Sky, Weather, array_w, sun_position

__all__ = [
    "SCENARIOS",
    "Battery",
    "BatterySettings",
    "Client",
    "Clients",
    "Energies",
    "House",
    "HouseLoad",
    "HouseSettings",
    "LoadSettings",
    "PvArray",
    "Scenario",
    "Sky",
    "Weather",
    "agile_prices",
    "array_w",
    "chance",
    "self_use",
    "sun_position",
]
