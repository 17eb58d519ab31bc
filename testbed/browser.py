"""A headless Chromium controlled by tests through the DevTools protocol, using pipes instead of a port."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from base64 import b64decode
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

PROGRAM: Final = "chromium-headless-shell"
_OPTIONS: Final = (
    "--no-sandbox",  # Chromium refuses to sandbox root's processes
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--no-proxy-server",
    "--remote-debugging-pipe",
)


class Browser:
    """A running browser."""

    def __init__(self, read: int, write: int) -> None:
        self._read, self._write = os.fdopen(read, "rb"), os.fdopen(write, "wb")
        self._number = 0
        self._left = b""
        self.events: list[dict[str, Any]] = []

    def call(self, method: str, session: str = "", **parameters: object) -> dict[str, Any]:
        """Call a DevTools method and return its result, keeping events that arrive in the meantime."""
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._write.write(json.dumps(message).encode() + b"\0")
        self._write.flush()
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def wait_for(self, method: str, session: str) -> None:
        """Wait for an event from a page. The event may already have arrived."""
        while not any(event.get("method") == method and event.get("sessionId") == session for event in self.events):
            self.events.append(self._next())

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._left:
            more = os.read(self._read.fileno(), 1 << 20)
            if not more:
                raise RuntimeError("the browser has ended")
            self._left += more
        message, _, self._left = self._left.partition(b"\0")
        parsed: dict[str, Any] = json.loads(message)
        return parsed

    def close(self) -> None:
        """Close the pipes, which ends the browser."""
        with suppress(BrokenPipeError):
            self._write.close()
        self._read.close()

    def open(self, url: str, width: int, height: int = 844, dark: bool = False) -> Page:
        """Open a page in a window of the given size in CSS pixels, and wait until it has loaded.

        Narrow windows emulate a phone.
        """
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session: str = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable", session)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", session, **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", session, features=[scheme])
        self.call("Page.navigate", session, url=url)
        self.wait_for("Page.loadEventFired", session)
        return Page(self, session)


@dataclass(frozen=True, slots=True)
class Page:
    """A loaded page."""

    browser: Browser = field(repr=False)
    session: str

    @property
    def requests(self) -> list[str]:
        """The URLs of all requests, including the one for the page itself."""
        events = self._events("Network.requestWillBeSent")
        return [event["request"]["url"] for event in events]

    @property
    def complaints(self) -> list[str]:
        """Return messages logged by the browser, such as content security policy violations, and exceptions."""
        logged = [event["entry"]["text"] for event in self._events("Log.entryAdded")]
        return logged + [event["exceptionDetails"]["text"] for event in self._events("Runtime.exceptionThrown")]

    def evaluate(self, expression: str) -> Any:
        """Evaluate JavaScript in the page and return its value."""
        result = self.browser.call("Runtime.evaluate", self.session, expression=expression, returnByValue=True)
        return result["result"].get("value")

    def screenshot(self) -> bytes:
        """Return a screenshot of the whole page as PNG."""
        shot = self.browser.call("Page.captureScreenshot", self.session, captureBeyondViewport=True)
        return b64decode(shot["data"])

    def pdf(self) -> bytes:
        """Return the page as a PDF, as it would be printed."""
        return b64decode(self.browser.call("Page.printToPDF", self.session)["data"])

    def _events(self, method: str) -> list[dict[str, Any]]:
        return [
            event["params"]
            for event in self.browser.events
            if event.get("method") == method and event.get("sessionId") == self.session
        ]


def missing() -> list[str]:
    """Return the reason why no browser can run here, or an empty list."""
    return [] if shutil.which(PROGRAM) else [f"not installed: {PROGRAM}"]


@contextmanager
def browser() -> Generator[Browser]:
    """Start a browser with an empty profile, and stop it afterwards."""
    to_browser, from_us = os.pipe()
    to_us, from_browser = os.pipe()
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as profile:
        # the browser reads from descriptor 3 and writes to 4; dash cannot duplicate descriptors with two digits
        shell = f'exec "$@" 3<&{to_browser} 4>&{from_browser}'
        command = ["bash", "-c", shell, "bash", PROGRAM, *_OPTIONS, f"--user-data-dir={profile}"]
        process = subprocess.Popen(command, pass_fds=(to_browser, from_browser), stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        running = Browser(to_us, from_us)
        try:
            yield running
        finally:
            running.close()
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
