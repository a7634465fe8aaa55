"""An independent Octopus client understands our price server, so its shapes are the real ones.

aiooctopusenergy lives in an environment of its own, kept in pytest's cache; it is no dependency.
"""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ohmstead.clock import ManualClock
from ohmstead.model import PriceSlot
from ohmstead.prices.octopus_simulator import OctopusSimulator
from peer import peer_python, run

PACKAGE = "aiooctopusenergy==0.4.5"
AGILE = "E-1R-AGILE-24-10-01-C"
START = datetime(2026, 1, 15, 9, tzinfo=UTC)
HALF = timedelta(minutes=30)

pytestmark = pytest.mark.timeout(300)

PEER = """
import asyncio, dataclasses, json, sys
import aiohttp
from datetime import datetime, timezone
from aiooctopusenergy import client as module

module.BASE_URL = sys.argv[1]

async def main():
    async with aiohttp.ClientSession() as session:
        peer = module.OctopusEnergyClient(api_key="sk_live_simulated", session=session)
        account = await peer.get_account("A-AAAA1111")
        rates = await peer.get_electricity_rates(
            "AGILE-24-10-01", "E-1R-AGILE-24-10-01-C",
            period_from=datetime(2026, 1, 15, 9, tzinfo=timezone.utc),
            period_to=datetime(2026, 1, 15, 12, tzinfo=timezone.utc),
        )
        found = [dataclasses.asdict(account), [dataclasses.asdict(rate) for rate in rates]]
        print(json.dumps(found, default=str))

asyncio.run(main())
"""


async def test_the_peer_reads_the_account_and_its_rates(pytestconfig: pytest.Config) -> None:
    python = await peer_python(pytestconfig, PACKAGE, "aiooctopusenergy")
    slots = [
        PriceSlot(start=START + n * HALF, end=START + (n + 1) * HALF, per_kwh=n / 100 - 0.01)
        for n in range(12)
    ]
    server = OctopusSimulator(
        ManualClock(START), {AGILE: slots}, agreements=[(AGILE, START - timedelta(days=9), None)]
    )
    async with server.serve() as port:
        status, said = await run(python, "-c", PEER, f"http://127.0.0.1:{port}")
    assert status == 0, said
    account, rates = json.loads(said.strip().splitlines()[-1])
    assert AGILE in json.dumps(account)
    assert sorted(rate["value_inc_vat"] for rate in rates) == [-1, 0, 1, 2, 3, 4]
