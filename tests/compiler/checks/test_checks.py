"""Tests that the checks refuse the valid spec after a single wrong change, and accept unusual but valid specs."""

from __future__ import annotations

import pytest

from modelyard.checks import CHECKS
from modelyard.diagnostics import codes
from tests.compiler.checks.checked_specs import codes_in, places_in, where
from tests.specs import VALID_SPEC, changed


def test_the_valid_spec_passes_every_rule() -> None:
    assert places_in(VALID_SPEC) == []


def test_every_rule_has_a_docstring() -> None:
    """The first line of each check's docstring is a sentence, and no check is listed twice."""
    assert all((rule.__doc__ or "").splitlines()[0].endswith(".") for rule in CHECKS)
    assert len(set(CHECKS)) == len(CHECKS)


@pytest.mark.parametrize("code", [code for code in codes() if code[1:3] in ("03", "04")])
def test_every_code_of_the_checks_has_a_page(code: str) -> None:
    """A code's page explains the error and its reason, and shows a wrong and a correct spec."""
    page = codes()[code].__doc__ or ""

    assert page.count("Wrong:") == 1
    assert page.count("Right:") == 1


CHANGES = [
    ("provider: kubernetes", "provider: kubernetes\n      tenancy: private-cloud", "kubernetes", "E0401"),
    ("residency: eu\n", "residency: us\n", "us\n", "E0404"),
    ("      residency: eu\n", "", "main:\n", "E0403"),
    ("{vault: {via: external-secrets, store: vault}}", "{}", "secret://vault/pagerduty#fraud", "E0406"),
    ("price: 0.40 USD", "price: 0.40 EUR", "0.40 EUR", "E0409"),
    ("minimum: 2", "minimum: 3", "minimum: 3", "E0417"),
    ("  retention: {captures: 90d, runs: 7d}\n", "", "capture: {sample", "E0419"),
    ("is_fraud: boolean", "fraud: boolean", "is_fraud\n    timestamp", "E0430"),
    ("features: [amount, merchant]", "features: [amount, is_fraud]", "is_fraud]", "E0431"),
    ("max: 20, parallel: 2", "max: 2, parallel: 4", "4}\n      earlyStopping", "E0443"),
    ("metric: auc_pr, goal: maximize", "metric: aucpr, goal: maximize", "aucpr", "E0435"),
    ("metric: auc_pr, goal: maximize", "metric: auc_pr, goal: minimize", "minimize", "E0437"),
    ("max_depth: {int: [3, 12]}", "max_depth: {int: [12, 3]}", "[12, 3]", "E0438"),
    ("needs: [collect], source", "needs: [publish], source", "needs: [publish]", "E0439"),
    ("    steps:\n", "    timeout: 30m\n    steps:\n", "1h", "E0440"),
    ("0 4 * * 0", "0 2 * * 8", '"0 2 * * 8"', "E0444"),
    ("0 6 * * 1", "0 6 30 2 *", '"0 6 30 2 *"', "E0445"),
    ("Europe/Berlin", "Berlin", "Berlin", "E0446"),
    ("challenger: {model: fraud-xgb@candidate", "challenger: {model: fraud-xgb@latest", "fraud-xgb@latest", "E0489"),
    ("champion: 95", "champion: 90", "traffic: {champion", "E0450"),
    ("{p99: 50ms, availability: 99.95%}", "{window: 7d}", "{window: 7d}", "E0491"),
    ("slo:", "mirror: {to: challenger}\n    slo:", "challenger}\n    slo", "E0451"),
    ("{p99: 50ms,", "{p90: 60ms, p99: 50ms,", "50ms, availability", "E0458"),
    ("      exposure: internal\n", "", "host: scores", "E0457"),
    ("      gateway: {name: edge, namespace: gateways, mirrors: true}\n", "", "internal\n", "E0456"),
    ("checks: {psi: {max: 0.2}", "checks: {rmse: {max: 0.2}", "rmse", "E0465"),
    ("{auc_pr: {min: 0.8}}", "{rmse: {max: 0.8}}", "rmse", "E0436"),
    ("    labels: chargebacks\n", "    labels: scores\n", "scores\n    window", "E0469"),
    ("    reference: {data: transactions, window: 30d}\n", "", "drift:\n", "E0470"),
    ("features: [amount], severity", "features: [amuont], severity", "amuont", "E0471"),
    (
        "watch: inference.scorer\n    labels",
        "watch: pipelines.nightly\n    key: [transaction_id]\n    labels",
        "true, cooldown",
        "E0473",
    ),
    ("cooldown: 7d", "cooldown: 6d", "6d", "W0475"),
    ("window: 7d", "window: 6d", "window: 6d", "W0476"),
]


@pytest.mark.parametrize(
    ("old", "new", "at", "code"), CHANGES, ids=[f"{code}-{at}" for at, (*_, code) in enumerate(CHANGES)]
)
def test_each_wrong_change_is_reported_at_the_right_place(old: str, new: str, at: str, code: str) -> None:
    """The change causes only the expected code, at the expected line and column."""
    spec = changed(old, new)

    assert where(spec, at, code) in places_in(spec)
    assert set(codes_in(spec)) - {"W0412"} == {code}


FINE: dict[str, tuple[str, str] | tuple[str, str, tuple[str, str]]] = {
    "a member state lies in its union": ("residency: eu\n", "residency: de\n"),
    "a union with several jurisdictions": ("residency: [eu]", "residency: [ch, eu]"),
    "a metric of the user's own code": (
        "metric: auc_pr, min: 0.82}",
        "metric: cost_saved, min: 0.82}",
        ("    compute: train\n", '    compute: train\n    source: {entrypoint: "fraud.train:main"}\n'),
    ),
    "a smaller metric with an upper bound": ("metric: auc_pr, min: 0.82}", "metric: log_loss, max: 0.3}"),
    "a cooldown as long as the time between two looks": ("cooldown: 3d", "cooldown: 1d"),
    "a window as long as the time between two looks": ("window: 7d", "window: 1w"),
    "the built-in store of secrets": ("key: secret://vault/", "key: secret://kubernetes/"),
    "a secret that this machine reads": (
        VALID_SPEC[VALID_SPEC.index("  mode: on-prem\n") : VALID_SPEC.index("stores:\n")],
        "  mode: local\n",
    ),
    "links among time zones": ("Europe/Berlin", "Japan"),
    "bounds that nearly meet": ("max_depth: {int: [3, 12]}", "max_depth: {int: [3, 4]}"),
    "drift against the training data": ("reference: {data: transactions, window: 30d}", "reference: {}"),
    "columns that the spec does not know": (
        "    schema: {amount: number, merchant: string, event_time: timestamp, is_fraud: boolean}\n",
        "",
        ("features: [amount], severity", "features: [country], severity"),
    ),
    "page-hinkley for concept drift": (
        "type: prediction-quality",
        "type: concept-drift",
        ("{auc_pr: {min: 0.8}}", "{page_hinkley: {max: 50}}"),
    ),
    "one endpoint on two hosts": ("host: scores.acme.example", "host: scores.acme.example\n      path: /v1"),
    "a pool of one": (
        "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n",
        "    pool: small\n",
        ("    promoteTo: candidate\n", ""),
    ),
}


@pytest.mark.parametrize("change", FINE.values(), ids=FINE.keys())
def test_unusual_but_valid_specs_are_accepted(change: tuple[str, str] | tuple[str, str, tuple[str, str]]) -> None:
    """The checks report nothing for unusual specs that may well be intentional."""
    spec = changed(change[0], change[1], *change[2:])

    assert places_in(spec) == []
