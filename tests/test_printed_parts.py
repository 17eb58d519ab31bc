"""Tests that code-generated sections of documentation pages are up to date."""

from __future__ import annotations

import re

import pytest
import yaml

from modelyard_targets.kube.monitoring.runbooks import runbook, steps
from tests.operations_page import ALERTS, raised_alerts
from tests.printed_parts import PARTS, with_part
from tests.reference_pages import DOCS
from tests.risk_page import MODULES, decided_by_profile
from tests.test_reference_pages import ROOT


@pytest.mark.parametrize(("name", "part"), PARTS, ids="-".join)
def test_every_part_is_up_to_date(name: str, part: str, accept: bool) -> None:
    page = DOCS / name
    printed = with_part(page.read_text(encoding="utf-8"), part, PARTS[name, part]())
    if accept:
        page.write_text(printed, encoding="utf-8")

    assert printed == page.read_text(encoding="utf-8")


def test_every_alert_has_an_entry() -> None:
    """A new or renamed alert needs a section in docs/operations.md."""
    assert raised_alerts() == set(ALERTS)


def test_every_runbook_belongs_to_an_alert() -> None:
    assert {topic for _, topics in ALERTS.values() for topic in topics} == set(steps())


def test_alerts_have_the_runbooks_on_the_page() -> None:
    """The runbooks of all alerts in the golden folders are in docs/operations.md."""
    files = [
        path for path in (ROOT / "tests" / "golden").rglob("manifests/*.yaml") if "alert: Model" in path.read_text()
    ]
    rules = [
        rule
        for path in files
        for each in yaml.safe_load_all(path.read_text(encoding="utf-8"))
        if each["kind"] == "PrometheusRule"
        for group in each["spec"]["groups"]
        for rule in group["rules"]
        if "alert" in rule
    ]
    runbooks = {name: {runbook(topic) for topic in topics} for name, (_, topics) in ALERTS.items()}

    assert rules
    assert [rule["alert"] for rule in rules if rule["annotations"]["runbook"] not in runbooks[rule["alert"]]] == []


def test_every_check_that_depends_on_industry_or_risk_is_listed() -> None:
    """Modules with checks that depend on industry or risk must be listed in `MODULES` with the checks' codes."""
    assert decided_by_profile() == set(MODULES)


def test_pages_name_only_alerts_that_exist() -> None:
    mentioned = {
        name
        for path in DOCS.rglob("*.md")
        for name in re.findall(r"\bModelyard[A-Z]\w+", path.read_text(encoding="utf-8"))
    }

    assert mentioned <= set(ALERTS)
