"""The service as a process of its own, to be killed, beside a simulated inverter."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

__all__ = ["Process", "until"]


class Process:
    """``ohmstead run`` as a process of its own."""

    def __init__(
        self,
        folder: Path,
        device: str,
        web_port: int,
        control: str = "self_consumption: {reserve_pct: 5}",
    ) -> None:
        """Be configured in *folder*, with the family and the port of *device*, and one strategy."""
        self.folder, self.device, self.web_port = folder, device, web_port
        self.url = f"http://127.0.0.1:{web_port}/api/v1"
        self.configure(control)

    def configure(self, *control: str) -> None:
        """Let the next run follow these strategies."""
        strategies = ", ".join(f"{{{strategy}}}" for strategy in control)
        # The house's clock is in UTC, so that no night of a change spoils the twenty minutes.
        (self.folder / "ohmstead.yaml").write_text(
            "site: {timezone: UTC}\n"
            "devices:\n"
            f"  - {{name: inverter, host: 127.0.0.1, pause_s: 0, {self.device}}}\n"
            f"control: [{strategies}]\n"
            f"web: {{listen: '127.0.0.1:{self.web_port}'}}\n"
        )

    @asynccontextmanager
    async def running(self) -> AsyncIterator[asyncio.subprocess.Process]:
        """Run until left, killed if it still runs then."""
        with (self.folder / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ohmstead", "run", "-c", str(self.folder / "ohmstead.yaml"),
                stderr=log,
            )  # fmt: skip
            try:
                await self.answers("devices")
                yield process
            finally:
                if process.returncode is None:
                    process.kill()
                await process.wait()

    async def answers(self, path: str) -> list[dict[str, object]]:
        """Return what the service says, once it does."""
        async with asyncio.timeout(30), httpx2.AsyncClient() as client:
            while True:
                try:
                    answer = await client.get(f"{self.url}/{path}")
                    if answer.status_code == 200:
                        said: list[dict[str, object]] = answer.json()
                        return said
                except httpx2.HTTPError:
                    pass
                await asyncio.sleep(0.05)

    async def why(self) -> str:
        """Return what ``ohmstead why`` prints."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "ohmstead", "why", "-c", str(self.folder / "ohmstead.yaml"),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        said, _ = await process.communicate()
        return said.decode()

    async def ask(self, mode: str, wanted: Mapping[str, float], minutes: float = 20) -> None:
        """Ask for *mode* as the page does."""
        async with httpx2.AsyncClient() as client:
            answer = await client.post(
                f"{self.url}/requests", json={"mode": mode, "minutes": minutes, **wanted}
            )
            assert answer.status_code == 201, answer.text


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until *condition* is true."""
    try:
        async with asyncio.timeout(20):
            while not condition():  # noqa: ASYNC110 - another process is what we wait for
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"never: {what}")
