"""Tests `report.html` in a real browser: on a phone, in dark mode, and printed."""

from __future__ import annotations

import re
import zlib
from pathlib import Path

import pytest

from modelyard.printing.report_costs import CostChange
from modelyard.printing.review_html import review_html
from modelyard.review.findings import Level
from testbed.browser import Browser
from tests.compiler.printing.test_comment import priced
from tests.compiler.review.reviews import a_finding, a_review, hostile
from tests.hostile.nasty import WORST

_LONG = "inference.a-name-without-any-end." * 12


def _written(tmp_path: Path, page: str) -> str:
    file = tmp_path / "report.html"
    file.write_text(page, encoding="utf-8")
    return file.as_uri()


def _usual(tmp_path: Path) -> str:
    findings = [
        a_finding("R201", Level.DANGER, "fraud", 4, why="a version that failed before may go live", irreversible=True),
        a_finding("R801", Level.REVIEW, _LONG, 5, reached=(_LONG, "inference.till"), before=_LONG, after="x" * 500),
        a_finding("R805", Level.NOTE, "c", 6),
    ]
    costs = [CostChange("default", priced(9_271), priced(11_899, what=_LONG))]
    return _written(tmp_path, review_html(a_review(findings), Level.NOTE, costs))


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("dark", [False, True])
def test_the_page_fits_every_screen(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    """Nothing scrolls sideways, no other resources are loaded, and text contrast meets WCAG 2."""
    url = _usual(tmp_path)
    page = browser.open(url, width, dark=dark)

    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert (
        page.evaluate("Math.max(...[...document.querySelectorAll('*')].map(e => e.getBoundingClientRect().right))")
        <= width
    )
    assert page.evaluate("innerWidth") == width
    assert page.requests == [url]
    assert page.complaints == []
    assert page.evaluate("getComputedStyle(document.body).fontSize") == "16px"
    for part in ("body", "article", ".place", ".code", "h1", "footer", ".faint"):
        assert page.evaluate(f"({_CONTRAST})('{part}')") >= 4.5, part
    backgrounds = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (backgrounds == "rgb(255, 255, 255)") != dark


_CONTRAST = """(name) => {
  const channels = color => color.match(/[0-9.]+/g).slice(0, 3).map(value => {
    const part = value / 255; return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4; });
  const light = color => { const [r, g, b] = channels(color); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const element = document.querySelector(name);
  let behind = element;
  while (getComputedStyle(behind).backgroundColor === 'rgba(0, 0, 0, 0)') behind = behind.parentElement;
  const [a, b] = [light(getComputedStyle(element).color), light(getComputedStyle(behind).backgroundColor)];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}"""


def test_the_page_is_printed_whole(browser: Browser, tmp_path: Path) -> None:
    """On paper, only the links to sections are hidden."""
    page = browser.open(_usual(tmp_path), 800)
    browser.call("Emulation.setEmulatedMedia", page.session, media="print")

    hidden = "[...document.querySelectorAll('body *')].filter(e => getComputedStyle(e).display === 'none')"
    assert page.evaluate(f"{hidden}.map(e => e.tagName)") == ["NAV"]
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    pdf = page.pdf()
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf + _inflated(pdf))) >= 1


def _inflated(pdf: bytes) -> bytes:
    """Return the decompressed contents of a PDF."""
    parts = b""
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            parts += zlib.decompress(stream)
        except zlib.error:
            continue
    return parts


def test_hostile_text_runs_nothing(browser: Browser, tmp_path: Path) -> None:
    """The browser builds the same elements as for harmless text, and loads no other resources."""

    def tags(text: str) -> list[str]:
        url = _written(tmp_path, review_html(hostile(text), Level.NOTE, [CostChange(text, priced(1), priced(2))]))
        page = browser.open(url, 390)
        assert page.requests == [url]
        assert page.complaints == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        names: list[str] = page.evaluate("[...document.querySelectorAll('*')].map(e => e.tagName)")
        return names

    nasty = "".join(text for text in WORST if text != "\x00") + "<img src=x onerror=alert(1)><svg onload=alert(1)>"
    assert tags(nasty) == tags("harmless")
