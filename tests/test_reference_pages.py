"""Tests that generated documentation pages are up to date and that links within the docs work."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.errors_pages import area_of, every_code
from tests.reference_pages import DOCS, PAGES

ROOT = DOCS.parent
WRITTEN = sorted([ROOT / "README.md", *DOCS.rglob("*.md"), *ROOT.glob("examples/*/README.md")])
_PAGE = re.compile(r"docs/[\w/-]+\.md")
_ANCHOR = re.compile(r"\]\(([^)#: ]+)#([^)]+)\)")
_LINK = re.compile(r"\]\(([^)#: ]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_up_to_date(name: str, accept: bool) -> None:
    """The generated text equals the page in docs."""
    printed = PAGES[name]()
    page = DOCS / name
    if accept:
        page.write_text(printed, encoding="utf-8")

    assert printed == page.read_text(encoding="utf-8")


def test_every_code_is_on_one_page() -> None:
    """Each code has a heading on the page for its area and on no other page."""
    pages = {page.stem: page.read_text(encoding="utf-8") for page in sorted((DOCS / "errors").iterdir())}
    headings = [(code, page) for page, text in pages.items() for code in re.findall(r"^## (\S+)$", text, re.MULTILINE)]

    assert sorted(headings) == sorted((code, area_of(each).page) for code, each in every_code().items())


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_existing_files(page: Path) -> None:
    """A relative link names an existing file or folder."""
    links = _LINK.findall(page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_pages_named_in_code_exist() -> None:
    """Pages mentioned in comments and docstrings exist."""
    folders = ("compiler", "runtime", "schemas", "stacks", "targets", "testbed")
    code = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    mentioned = {page for path in code for page in _PAGE.findall(path.read_text(encoding="utf-8"))}

    assert mentioned
    assert [page for page in sorted(mentioned) if not (ROOT / page).exists()] == []


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_existing_headings(page: Path) -> None:
    """The fragment of a link is a heading on the linked page."""
    links = _ANCHOR.findall(page.read_text(encoding="utf-8"))

    assert [f"{path}#{anchor}" for path, anchor in links if anchor not in anchors((page.parent / path).resolve())] == []


@cache
def anchors(page: Path) -> frozenset[str]:
    """Return the anchors that GitHub creates for the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(encoding="utf-8"), re.MULTILINE) if page.is_file() else []
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)
