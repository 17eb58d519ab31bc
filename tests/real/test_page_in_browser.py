"""Tests a run's page in a real browser: its form, its automatic refresh, and the resources it loads."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelyard_runtime.local.page.server import Page as Served
from testbed.browser import Browser, Page
from tests.shown_system import HOSTILE, LACKS, RunningSystem, shown_system

PATIENCE_S = 20
TYPE = """
for (const [name, value] of Object.entries(%s)) document.querySelector(`[name="input:${name}"]`).value = value;
document.querySelector("form button").click();
"""


@pytest.fixture
def page_system(tmp_path: Path) -> Iterator[RunningSystem]:
    with shown_system(tmp_path) as system:
        yield system


@pytest.fixture
def served(page_system: RunningSystem) -> Iterator[Served]:
    page = Served.start(page_system.plan, page_system.compiled, page_system.state)
    yield page
    page.end()


def awaited(page: Page, expression: str) -> Any:
    """Wait until a JavaScript expression has a true value, and return the value."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        if value := page.evaluate(expression):
            return value
        time.sleep(0.1)
    raise AssertionError(f"{expression} never became true: {page.complaints}")


def test_somebody_tries_an_endpoint_on_a_phone(
    browser: Browser, served: Served, page_system: RunningSystem, tmp_path: Path
) -> None:
    """Responses and errors appear below the form, and text entered in the form survives page refreshes."""
    page_system.inputs = (*page_system.inputs, (HOSTILE, "BYTES"))
    page = browser.open(served.url, 390)

    page.evaluate(TYPE % '{usage: "2.5", plan: "a", vip: "true"}')
    assert '"scores"' in awaited(page, 'document.querySelector("output").textContent.includes("scores") && '
                                       'document.querySelector("output").textContent')  # fmt: skip
    assert page_system.received == [{"instances": [{"usage": 2.5, "plan": "a", "vip": True}]}]
    page.evaluate(TYPE % '{plan: ""}')
    assert awaited(page, 'document.querySelector("output.refused")?.textContent') == f"422 {LACKS}"

    page_system.state.record("pipelines.train", "decided", "'champion' of laptop-churn is now version 4")
    awaited(page, 'document.querySelector("#decisions").textContent.includes("now version 4")')
    assert page.evaluate("""document.querySelector('[name="input:usage"]').value""") == "2.5"

    (tmp_path / "phone.png").write_bytes(page.screenshot())
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert [text for text in page.complaints if "404" not in text] == []  # there is no icon
    assert {url.split("/")[2] for url in page.requests} == {served.url.split("/")[2]}


def test_the_end_of_the_run_is_shown(browser: Browser, served: Served, tmp_path: Path) -> None:
    page = browser.open(served.url, 1200, dark=True)
    assert page.evaluate('document.querySelectorAll("svg").length') >= 3
    assert page.evaluate('document.getElementById("gone").hidden') is True
    (tmp_path / "desk.png").write_bytes(page.screenshot())
    served.end()

    assert awaited(page, '!document.getElementById("gone").hidden')
