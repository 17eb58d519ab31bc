"""Docs that are printed from code are as the code is now, and links within docs lead somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelyard.diagnostics import codes
from modelyard.diagnostics.registry import CODE
from modelyard_targets import TARGETS
from tests.reference_pages import DOCS, PAGES

ROOT = DOCS.parent
WRITTEN = sorted([ROOT / "README.md", *DOCS.rglob("*.md"), *ROOT.glob("examples/*/README.md")])
_PAGE = re.compile(r"docs/[\w/-]+\.md")
_LINK = re.compile(r"\]\(([^)#: ]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("name", PAGES)
def test_page_is_up_to_date(name: str, accept: bool) -> None:
    """What is printed is what lies in docs."""
    printed = PAGES[name]()
    page = DOCS / name
    if accept:
        page.write_text(printed, encoding="utf-8")

    assert printed == page.read_text(encoding="utf-8")


def test_every_code_has_the_heading_that_messages_link_to() -> None:
    """`docs/errors.md#e0203` is a heading of the page."""
    headings = re.findall(rf"^## ({CODE.pattern})$", (DOCS / "errors.md").read_text(encoding="utf-8"), re.MULTILINE)

    assert [whole for whole, *_ in headings] == list(codes(TARGETS.diagnostics()))


@pytest.mark.parametrize("page", WRITTEN, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    """A relative link names a file or folder that is there."""
    links = _LINK.findall(page.read_text(encoding="utf-8"))

    assert [link for link in links if not (page.parent / link).exists()] == []


def test_pages_that_code_names_are_there() -> None:
    """Whoever follows a comment or a docstring into docs finds the page."""
    folders = ("compiler", "runtime", "schemas", "stacks", "targets", "testbed")
    code = [path for folder in folders for path in (ROOT / folder).rglob("*.py")]
    named = {page for path in code for page in _PAGE.findall(path.read_text(encoding="utf-8"))}

    assert named
    assert [page for page in sorted(named) if not (ROOT / page).exists()] == []
