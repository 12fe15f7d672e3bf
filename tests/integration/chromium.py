"""A real browser, driven over WebDriver: Debian's chromium and chromium-driver.

It is driven from an event loop, because the server of a page may run in the same one.
"""

from __future__ import annotations

import asyncio
import re
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import httpx

from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
CHROMEDRIVER = shutil.which("chromedriver")

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--window-size=1440,1000",
)
START_SECONDS, LOOK_SECONDS = PATIENCE, PATIENCE
LOOK_AGAIN_SECONDS = 0.05


class Window:
    """One window."""

    def __init__(self, session: str, client: httpx.AsyncClient) -> None:
        self._session = session
        self._client = client

    async def _ask(self, method: str, path: str, **body: object) -> Any:
        json = body if method == "POST" else None
        answer = await self._client.request(method, f"{self._session}{path}", json=json)
        value = answer.json()["value"]
        assert answer.status_code == 200, value
        return value

    async def open(self, url: str) -> None:
        await self._ask("POST", "/url", url=url)

    async def run(self, script: str, *arguments: object) -> Any:
        """The value of a function's body, run in the page."""
        return await self._ask("POST", "/execute/sync", script=script, args=list(arguments))

    async def text(self, selector: str) -> str:
        """The text that a person sees there."""
        script = "return document.querySelector(arguments[0]).innerText"
        found: str = await self.run(script, selector)
        return found

    async def until(self, script: str, wanted: object, *arguments: object) -> None:
        """Wait until an expression has a value."""
        found: object = None
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                while (found := await self.run(f"return {script}", *arguments)) != wanted:
                    await asyncio.sleep(LOOK_AGAIN_SECONDS)
        except TimeoutError:
            raise AssertionError(f"{script} is {found!r}, wanted {wanted!r}") from None

    async def shows(self, script: str, *arguments: object) -> None:
        """Wait until an expression is neither nothing nor false."""
        await self.until(f"Boolean({script})", True, *arguments)

    async def click(self, xpath: str) -> None:
        """Click on an element as a hand would: it must be visible and on top."""
        found = await self._ask("POST", "/element", using="xpath", value=xpath)
        element = next(iter(found.values()))
        await self._ask("POST", f"/element/{element}/click")

    async def keys(self, *keys: str) -> None:
        """Press keys, one after the other, on what has the focus."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        keyboard = {"type": "key", "id": "keyboard", "actions": actions}
        await self._ask("POST", "/actions", actions=[keyboard])

    async def size(self, width: int, height: int) -> None:
        await self._ask("POST", "/window/rect", width=width, height=height)

    async def complaints(self) -> list[str]:
        """What the console says is wrong."""
        entries = await self._ask("POST", "/se/log", type="browser")
        return [entry["message"] for entry in entries if entry["level"] == "SEVERE"]


@asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Window]:
    """A fresh browser with its profile in a folder; it and its driver end with the block."""
    assert CHROMEDRIVER is not None
    driver = await asyncio.create_subprocess_exec(
        CHROMEDRIVER, "--port=0", stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE
    )
    try:
        async with asyncio.timeout(START_SECONDS):
            port = await _port(driver)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=START_SECONDS, trust_env=False
        ) as client:
            flags = [*FLAGS, f"--user-data-dir={folder / 'profile'}"]
            wanted = {
                "goog:chromeOptions": {"binary": CHROMIUM, "args": flags},
                "goog:loggingPrefs": {"browser": "ALL"},
            }
            answer = await client.post("/session", json={"capabilities": {"alwaysMatch": wanted}})
            value = answer.json()["value"]
            assert answer.status_code == 200, value
            session = f"/session/{value['sessionId']}"
            try:
                yield Window(session, client)
            finally:
                await client.delete(session)
    finally:
        driver.terminate()
        await driver.communicate()


async def _port(driver: asyncio.subprocess.Process) -> int:
    assert driver.stdout is not None
    async for line in driver.stdout:
        found = re.search(rb"successfully on port (\d+)", line)
        if found:
            return int(found[1])
    raise AssertionError("chromedriver did not start")
