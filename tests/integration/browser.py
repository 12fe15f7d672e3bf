"""A real browser, driven over the WebDriver protocol: Debian's chromium and chromium-driver."""

from __future__ import annotations

import base64
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
_START_SECONDS, _CALL_SECONDS, _LOOK_SECONDS = 20.0, 30.0, 10.0
_LOOK_AGAIN_SECONDS = 0.05
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1440,1000",
)


@dataclass(frozen=True, slots=True)
class Browser:
    """One window."""

    client: httpx.Client
    session: str

    def open(self, url: str) -> None:
        self._post("url", url=url)

    def script(self, text: str, *arguments: object) -> Any:
        """Run the body of a function in the page and return its value."""
        return self._post("execute/sync", script=text, args=list(arguments))

    def until(self, text: str, *arguments: object) -> Any:
        """Return the first true value of an expression; fail after ten seconds."""
        deadline = time.monotonic() + _LOOK_SECONDS
        while not (value := self.script(f"return {text}", *arguments)):
            assert time.monotonic() < deadline, f"the page never showed: {text}"
            time.sleep(_LOOK_AGAIN_SECONDS)
        return value

    def click(self, xpath: str) -> None:
        """Click on an element as a hand would: it must be visible and on top."""
        found = self._post("element", using="xpath", value=xpath)
        element = next(iter(found.values()))
        self._post(f"element/{element}/click")

    def keys(self, *keys: str) -> None:
        """Press keys, one after the other, on what has the focus."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self._post("actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def colours(self, scheme: str) -> None:
        """Prefer `light` or `dark`."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self._post(
            "goog/cdp/execute", cmd="Emulation.setEmulatedMedia", params={"features": [feature]}
        )

    def screenshot(self, path: Path) -> None:
        answer = self.client.get(f"session/{self.session}/screenshot")
        path.write_bytes(base64.b64decode(answer.json()["value"]))

    def _post(self, command: str, **members: object) -> Any:
        answer = self.client.post(f"session/{self.session}/{command}", json=members)
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]


@contextmanager
def browser() -> Iterator[Browser]:
    """Run a browser with an empty profile until the block ends."""
    assert CHROMIUM is not None
    assert DRIVER is not None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        subprocess.Popen([DRIVER, f"--port={port}"], stdout=subprocess.DEVNULL) as driver,
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}/", timeout=_CALL_SECONDS, trust_env=False
        ) as client,
    ):
        try:
            _await(client)
            options = {"binary": CHROMIUM, "args": [*_FLAGS, f"--user-data-dir={profile}"]}
            wanted = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
            answer = client.post("session", json=wanted)
            assert answer.status_code == 200, answer.text
            session = answer.json()["value"]["sessionId"]
            try:
                yield Browser(client, session)
            finally:
                client.delete(f"session/{session}")
        finally:
            driver.terminate()


def _await(client: httpx.Client) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            if client.get("status").json()["value"]["ready"]:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline, "chromedriver did not start"
        time.sleep(_LOOK_AGAIN_SECONDS)
