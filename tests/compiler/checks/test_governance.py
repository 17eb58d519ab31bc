"""Tests that governance rules are stricter for regulated industries, high risk and public endpoints."""

from __future__ import annotations

import pytest

from modelyard.diagnostics import Severity
from modelyard.pipeline import InputFile, Inputs, compile_system
from modelyard_targets import TARGETS
from tests.compiler.checks.checked_specs import codes_in, places_in
from tests.specs import VALID_SPEC, changed


def test_regulated_industries_have_stricter_rules() -> None:
    """Missing safeguards cause warnings for a bank that retail doesn't get, and high risk requires approvals."""
    bank = ("industry: retail", "industry: banking")
    bare = (
        "    card: {purpose: Ranks card payments by the risk of fraud., limitations: Not for corporate cards.}\n",
        "",
    )
    no_class = (", delay: 45d, classification: pii", ", delay: 45d")
    no_auth = ("      auth: {type: bearer-token, token: secret://vault/scorer#token}\n", "")
    unexplained = ("    explainability: {method: shap}\n", "")
    high = ("risk: limited", "risk: high")
    no_approvals = ("  approvals: {promote: {from: [model-risk, payments-risk], minimum: 2}}\n", "")

    assert places_in(changed(*bank)) == []
    assert sorted(codes_in(changed(*bank, bare, no_class, no_auth))) == ["W0422", "W0424", "W0425"]
    assert sorted(codes_in(changed(*bank, high, unexplained))) == ["W0426"]
    assert codes_in(changed(*bank, high, no_approvals)) == ["E0416"]
    assert codes_in(changed(*high, no_approvals)) == ["W0936", "W0936"]  # retail does not require them


def test_an_empty_list_of_data_classes_is_a_claim() -> None:
    """An empty list of data classes claims that nothing is sensitive, whereas a missing list claims nothing."""
    assert codes_in(changed("  dataClasses: [pii]\n", "  dataClasses: []\n")) == ["E0420", "E0420"]
    assert codes_in(changed("  dataClasses: [pii]\n", "")) == []


def test_public_endpoints_need_authentication() -> None:
    no_auth = ("      auth: {type: bearer-token, token: secret://vault/scorer#token}\n", "")

    assert codes_in(changed("exposure: internal", "exposure: public", no_auth)) == ["E0421"]
    assert codes_in(changed("exposure: internal", "exposure: public")) == []


def test_bucket_retention_must_not_delete_data_too_early() -> None:
    """A bucket's retention must not delete models, which are used at any age, or captures kept for longer."""
    own = ("lake: {type: object, adopt: acme-fraud-lake, ", "lake: {type: object, retention: 60d, ")
    captures = ("capture: {sample: 20%, store: lake}", "capture: {sample: 20%, store: lake, retain: 55d}")
    apart = ("registry: {database: runs, artifacts: lake}", "registry: {adopt: 'https://mlflow.acme.example'}")

    assert codes_in(changed(*own)) == ["W0492", "W0492"]  # governance keeps captures for 90 days
    assert codes_in(changed(*own, captures)) == ["W0492"]
    assert codes_in(changed(*own, captures, apart)) == ["W0412"]  # an unused database


@pytest.mark.parametrize(
    ("written", "code"),
    [('{promote: {from: ["model risk"]}}', "E0205"), ("{from: [model-risk], minimum: 1}", "E0203")],
)
def test_invalid_approvals_are_not_reported_as_missing(written: str, code: str) -> None:
    """Invalid approvals aren't additionally reported as missing, even at high risk."""
    approvals = "{promote: {from: [model-risk, payments-risk], minimum: 2}}"
    text = VALID_SPEC.replace("risk: limited", "risk: high").replace(approvals, written)

    diagnostics = compile_system(Inputs(InputFile("system.yaml", text), None, None), TARGETS).diagnostics

    assert {diagnostic.code for diagnostic in diagnostics if diagnostic.severity is Severity.ERROR} == {code}
