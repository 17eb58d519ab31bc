"""Tests that the promoter, a CronJob that moves aliases, has its own identity and login."""

from __future__ import annotations

import json
from typing import Any

import modelyard_schemas
from modelyard.plan import Identity
from modelyard.validate import python_fits
from tests.lowering import Object, lowered
from tests.specs import VALID_SPEC, changed

ADOPTED = changed("registry: {database: runs, artifacts: lake}", 'registry: {adopt: "https://mlflow.acme.example"}')
SCHEMA = json.loads(modelyard_schemas.text("workload"))


def described(text: str, name: str) -> Any:
    """Return a workload's description from its ConfigMap."""
    return json.loads(lowered(text).get("ConfigMap", f"{name}-description")["data"]["workload.json"])


def test_promoter_runs_every_three_minutes_without_overlap() -> None:
    spec = lowered(VALID_SPEC).get("CronJob", "promoter")["spec"]
    pod: Object = spec["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]

    assert (spec["schedule"], spec["concurrencyPolicy"]) == ("*/3 * * * *", "Forbid")
    assert container["command"] == ["python", "-m", "modelyard_runtime", "promote"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["serviceAccountName"] == "promoter"
    secrets = {
        variable["valueFrom"]["secretKeyRef"]["name"] for variable in container["env"] if "valueFrom" in variable
    }
    assert "mlflow-login.promoter" in secrets
    assert "mlflow-admin" not in secrets


def test_promoter_description_has_requirements_of_each_training() -> None:
    """The promoter's description lists each training pipeline's requirements and matches the schema."""
    description = described(VALID_SPEC, "promoter")
    retrain = described(VALID_SPEC, "retrain")["pipeline"]

    promotion = description["promotions"]["retrain"]
    for entry in ("promoteTo", "validation", "approvals"):
        assert promotion[entry] == retrain[entry]
    assert promotion["model"]["history"] == "fraud/fraud-fraud-xgb/aliases"
    assert python_fits(SCHEMA)(SCHEMA, description)


def test_promoter_may_only_read_models() -> None:
    identity = lowered(VALID_SPEC).context.identity("promoter")

    assert identity is not None
    assert isinstance(identity.value, Identity)
    assert {(grant.prefix, grant.mode) for grant in identity.value.access} == {("mlflow/models/", "read")}


def test_promoter_may_reach_the_registry() -> None:
    spec = lowered(VALID_SPEC).get("NetworkPolicy", "promoter")["spec"]

    assert spec["policyTypes"] == ["Egress"]
    selectors = [peer.get("podSelector") for rule in spec["egress"] for peer in rule["to"]]
    assert {"matchLabels": {"app.kubernetes.io/name": "mlflow"}} in selectors


def test_promoter_pushes_metrics_if_there_are_alerts() -> None:
    """With an on-call channel, the promoter pushes metrics, and its network policy allows it to."""
    objects = lowered(VALID_SPEC)
    quiet = changed(", oncall: oncall", "")

    assert described(VALID_SPEC, "promoter")["metrics"] == described(VALID_SPEC, "retrain")["metrics"]
    assert "metrics" not in described(quiet, "promoter")
    assert _ports(objects.get("NetworkPolicy", "promoter")) - _ports(
        lowered(quiet).get("NetworkPolicy", "promoter")
    ) == {9090}
    assert [
        link.port for link in objects.context.plan.links if link.source.endswith("/promoter") and link.what == "metrics"
    ] == [9090]


def _ports(policy: Object) -> set[int]:
    return {port["port"] for rule in policy["spec"]["egress"] for port in rule.get("ports", ())}


def test_servers_follow_the_promoters_history() -> None:
    """A server that uses an alias refers to the history the promoter writes. A pinned version has none."""
    model = described(VALID_SPEC, "scorer-challenger")["applications"]["scorer-challenger"]["model"]
    by_version = changed("{model: fraud-xgb@candidate", "{model: fraud-xgb@7")

    assert model["history"] == "fraud/fraud-fraud-xgb/aliases"
    fixed = described(by_version, "scorer-challenger")["applications"]["scorer-challenger"]["model"]
    assert "history" not in fixed


def test_servers_and_scoring_have_the_required_approvals() -> None:
    """Servers and scoring require the same approvals as the promoter, except for pinned versions."""
    scored = changed("model: fraud-xgb@champion\n", "model: fraud-xgb@candidate\n")
    approvals = described(scored, "promoter")["promotions"]["retrain"]["approvals"]
    batch = described(scored, "nightly")
    server = described(scored, "scorer-challenger")
    by_number = described(changed("{model: fraud-xgb@candidate", "{model: fraud-xgb@7"), "scorer-challenger")

    assert approvals["minimum"] == 2
    assert batch["pipeline"]["model"]["approvals"] == approvals
    assert server["applications"]["scorer-challenger"]["model"]["approvals"] == approvals
    assert "approvals" not in by_number["applications"]["scorer-challenger"]["model"]
    assert python_fits(SCHEMA)(SCHEMA, server)
    assert python_fits(SCHEMA)(SCHEMA, batch)


def test_training_promotes_itself_with_an_adopted_registry() -> None:
    """With an adopted registry, there is no promoter, and training runs move aliases themselves."""
    assert "promoter" not in lowered(ADOPTED).names("CronJob")
    assert "promotedBy" not in described(ADOPTED, "retrain")["pipeline"]
    model = described(ADOPTED, "scorer-challenger")["applications"]["scorer-challenger"]["model"]
    assert "history" not in model
