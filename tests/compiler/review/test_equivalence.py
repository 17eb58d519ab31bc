"""Tests that writing the same system differently isn't a change, and that renamed entries are followed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import pytest
import yaml

from modelyard.source import Json
from tests.reviewing import codes_of, reviewed

BASE = (Path(__file__).parents[2] / "reviews" / "base" / "shop.yaml").read_text(encoding="utf-8")


def edited(*changes: tuple[str, str]) -> str:
    """Return the base spec with some strings replaced. Each of them must occur."""
    text = BASE
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


def _sorted(value: Json) -> Json:
    return {key: _sorted(value[key]) for key in sorted(value)} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(yaml.safe_load(BASE)),
        yaml.safe_dump(_sorted(cast("Json", yaml.safe_load(BASE)))),
        f"# a comment\n\n{BASE}",
        edited(("window: 1d", "window: 24h"), ("retain: 30d", "retain: 720h")),
        edited(("workers: 1\n", "workers: {min: 1, max: 1}\n")),
        edited(("replicas: {min: 2, max: 6}", "replicas: {max: 6, min: 2}")),
        edited(
            ("compute:\n  small", "vars: {most: {type: integer, default: 6}}\ncompute:\n  small"),
            ("max: 6}", 'max: "${vars.most}"}'),
        ),
        edited(("traffic: {live: 95, next: 5}", "traffic: {next: 5, live: 95}")),
        edited(("{min: 1, max: 1}", "{min: 1, max: 1}")) if "{min: 1, max: 1}" in BASE else BASE,
        edited(("exposure: internal", "exposure: internal\n      timeout: 60s\n      path: /")),
        edited(("  size: small", "  size: small")) if "  size: small" in BASE else BASE,
    ],
)
def test_other_ways_to_write_the_same_are_no_change(text: str) -> None:
    assert codes_of(reviewed(BASE, text)) == []


def test_a_renamed_store_is_followed_by_what_refers_to_it() -> None:
    """Datasets and the registry that refer to a renamed store don't count as additional changes."""
    text = (
        edited(("  archive: {type", "  old: {type"), ("store: archive", "store: old"))
        + "moved: {stores.old: stores.archive}\n"
    )

    assert [finding.code for finding in reviewed(BASE, text).findings if finding.path[0] == "data"] == []
    assert "R503" in codes_of(reviewed(BASE, text))


def test_a_reference_to_another_entry_is_a_change_although_something_is_renamed() -> None:
    text = (
        edited(("  archive: {type", "  old: {type"), ("store: archive", "store: lake"))
        + "moved: {stores.old: stores.archive}\n"
    )

    assert "R312" in codes_of(reviewed(BASE, text))
