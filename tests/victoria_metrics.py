"""A real VictoriaMetrics, as a child of the test."""

import asyncio
import json
import os
import shutil
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

__all__ = ["Series", "VictoriaMetrics", "victoria_metrics"]

Series = dict[tuple[tuple[str, str], ...], list[tuple[int, float]]]
"""What a database holds: by its labels sorted, each series' (milliseconds, value) in time order."""

_STARTS_S = 20.0


class VictoriaMetrics:
    """One database on loopback, with a folder of its own, that can be stopped and started."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program = program
        self._folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port = free.getsockname()[1]
        self._process: Process | None = None
        self.url = f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            self._program,
            f"-storageDataPath={self._folder}",
            f"-httpListenAddr=127.0.0.1:{self._port}",
            "-retentionPeriod=100y",
            "-search.latencyOffset=0s",
            "-memory.allowedBytes=64MB",
            stdout=DEVNULL,
            stderr=DEVNULL,
        )
        async with asyncio.timeout(_STARTS_S), httpx2.AsyncClient() as client:
            while True:
                try:
                    if (await client.get(f"{self.url}/health")).is_success:
                        return
                except httpx2.TransportError:
                    await asyncio.sleep(0.02)

    async def stop(self) -> None:
        """End in good order, as at a restart of the machine."""
        if self._process is not None:
            self._process.terminate()
            await self._process.wait()
            self._process = None

    async def series(self) -> Series:
        """Return everything that is stored, as it is stored."""
        async with httpx2.AsyncClient(base_url=self.url) as client:
            await client.get("/internal/force_flush")
            answer = await client.get(
                "/api/v1/export", params={"match[]": '{__name__!=""}', "start": "0"}
            )
        answer.raise_for_status()
        found: Series = {}
        for row in map(json.loads, answer.text.splitlines()):
            labels = tuple(sorted(row["metric"].items()))
            found.setdefault(labels, []).extend(
                zip(row["timestamps"], row["values"], strict=True)
            )  # fmt: skip
        return {labels: sorted(points) for labels, points in found.items()}


@asynccontextmanager
async def victoria_metrics(folder: Path) -> AsyncIterator[VictoriaMetrics]:
    """Run one while the block lasts; without the program it is a skip, and in CI a failure."""
    program = shutil.which("victoria-metrics")
    if program is None:
        why = "victoria-metrics is not installed"
        if os.environ.get("CI"):
            pytest.fail(why)
        pytest.skip(why)
    database = VictoriaMetrics(program, folder)
    try:
        await database.start()
        yield database
    finally:
        await database.stop()
