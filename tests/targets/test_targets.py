"""Tests that every provider in the schema has a target that catalogs every kind of resource."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.plan import Kind
from modelyard.records import replace
from modelyard.target import Component, Impossible
from modelyard_targets import TARGETS
from modelyard_targets.tables import targets_page

PAGE = Path(__file__).parents[2] / "docs" / "targets.md"


@pytest.mark.parametrize("provider", TARGETS)
def test_every_kind_has_a_catalog_entry(provider: str) -> None:
    catalog = TARGETS[provider].catalog

    assert set(catalog) == set(Kind)
    assert all((entry.what if isinstance(entry, Component) else entry.reason).strip() for entry in catalog.values())


def test_planner_gets_add_ons_from_the_catalog() -> None:
    """The planner gets the target's machine selection and the add-ons in its catalog."""
    catalog = {Kind.DATABASE: Component("a database", addons=("operator",)), Kind.CHANNEL: Component("a channel")}
    target = replace(TARGETS["kubernetes"], catalog={**catalog, Kind.ENDPOINT: Impossible("without a gateway")})

    assert target.offer.addons == {Kind.DATABASE: ("operator",)}
    assert target.offer.choose is TARGETS["kubernetes"].choose


def test_targets_page_is_up_to_date(accept: bool) -> None:
    if accept:
        PAGE.write_text(targets_page(TARGETS), encoding="utf-8")

    assert PAGE.read_text(encoding="utf-8") == targets_page(TARGETS)
