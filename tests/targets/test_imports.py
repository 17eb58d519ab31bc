"""Tests that a system with an imported model has a promoter even without a pipeline."""

from __future__ import annotations

import json
from typing import Any

import pytest

import modelyard_schemas
from modelyard.api import compile_text
from modelyard.plan import Identity
from modelyard.validate import python_fits
from modelyard_runtime.checks import check_workload
from modelyard_runtime.promotion.imports import LARGEST_BYTES
from modelyard_targets.kube.pods.sizes import PROMOTER_DISK_BYTES
from tests.lowering import Object, lowered
from tests.observed import alerts
from tests.targets.aws.infrastructure import arguments, calls_by_name

GATEWAY = "gateway: {name: shared, namespace: gateways}"
DEPLOYMENT = f"deployment: {{mode: on-prem, provider: kubernetes, context: frankfurt, {GATEWAY}}}"
DIGEST = f"sha256:{'4a' * 32}"
SPEC = (
    """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: claims}
governance:
  owner: {team: claims, email: claims@acme.example, oncall: oncall}
  approvals: {promote: {from: [risk]}}
  approvers: {risk: {sshKeys: ["KEY risk"]}}
DEPLOYMENT
stores:
  lake: {type: object, endpoint: "https://s3.acme.example", credentials: "secret://kubernetes/lake"}
  shared:
    {type: object, adopt: acme-models, endpoint: "https://m.acme.example:9000", credentials: "secret://kubernetes/shared"}
  runs: {type: database}
registry: {database: runs, artifacts: lake}
compute: {cpu: {cpu: 2, memory: 8Gi}}
models:
  triage:
    task: binary-classification
    framework: xgboost
    card: {purpose: Sorts claims.}
    threshold: 0.35
    stages: {challenger: {approvals: none}, champion: {after: challenger}}
    import: {uri: "s3://acme-models/triage/4", digest: "DIGEST"}
inference:
  scorer:
    variants: {live: {model: triage@champion}, next: {model: triage@challenger}}
    traffic: {live: 95, next: 5}
    compute: cpu
channels: {oncall: {type: pagerduty, key: "secret://kubernetes/pagerduty#key"}}
""".replace("DIGEST", DIGEST)
    .replace("DEPLOYMENT", DEPLOYMENT)
    .replace("KEY", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBQLxo1V/0nQZqp74G7iCeTrfUUVH2nBc2KM1WIYB+um")
)


def on_aws() -> str:
    """Return the spec adapted to an AWS cluster, whose buckets need no endpoints or credentials."""
    text = SPEC
    for before, after in (
        (DEPLOYMENT, "deployment: {mode: cloud, provider: aws, region: eu-central-1, vpc: {cidr: 10.20.0.0/16}}"),
        (', endpoint: "https://s3.acme.example", credentials: "secret://kubernetes/lake"', ""),
        (', endpoint: "https://m.acme.example:9000", credentials: "secret://kubernetes/shared"', ""),
    ):
        assert before in text
        text = text.replace(before, after)
    return text


def described(text: str, name: str) -> Any:
    """Return a workload's description from its ConfigMap."""
    return json.loads(lowered(text).get("ConfigMap", f"{name}-description")["data"]["workload.json"])


def changed(before: str, after: str) -> str:
    """Return the spec with a single replacement."""
    assert before in SPEC
    return SPEC.replace(before, after)


def test_promoter_description_has_source_and_requirements() -> None:
    """The promoter's description contains the import's source and requirements and is accepted by the runtime."""
    description = described(SPEC, "promoter")

    triage = description["imports"]["triage"]
    assert triage["import"] == {"uri": "s3://acme-models/triage/4/", "store": "shared", "digest": DIGEST}
    assert (triage["promoteTo"], "approvals" in triage) == ("challenger", False)
    assert description["stages"]["triage.champion"]["approvals"]["from"] == ["risk"]
    model = triage["model"]
    assert {key: model[key] for key in ("framework", "threshold", "experiment", "history")} == {
        "framework": "xgboost",
        "threshold": 0.35,
        "experiment": "claims/claims-triage",
        "history": "claims/claims-triage/aliases",
    }
    assert model["card"] == {"purpose": "Sorts claims."}
    assert "promotions" not in description
    schema = json.loads(modelyard_schemas.text("workload"))
    assert python_fits(schema)(schema, description)
    check_workload(description)


@pytest.mark.parametrize("uri", ["models:/shared-triage/4", f"runs:/{'0a' * 16}/model"])
def test_import_from_the_registry_needs_no_more_access(uri: str) -> None:
    """Imports from the registry need no extra permissions, because the promoter may read all models."""
    text = changed("s3://acme-models/triage/4", uri)

    assert described(text, "promoter")["imports"]["triage"]["import"] == {"uri": uri, "digest": DIGEST}
    assert accesses(text) == OF_ANY_IMPORT


OF_ANY_IMPORT = {("lake", "mlflow/models/", "read"), ("lake", "mlflow/models/claims-triage/", "append")}


def accesses(text: str) -> set[tuple[str, str, str]]:
    """Return the promoter's access to stores as store, prefix and mode."""
    identity = lowered(text).context.identity("promoter")
    assert identity is not None
    assert isinstance(identity.value, Identity)
    return {(grant.store, grant.prefix, grant.mode) for grant in identity.value.access}


def test_promoter_reads_the_source_and_appends_to_the_model_folder() -> None:
    """Only the promoter may read the import's source, and it may only append to the model's folder."""
    assert accesses(SPEC) == {*OF_ANY_IMPORT, ("shared", "triage/4/", "read")}
    for workload in ("inference.scorer", "registry"):
        identity = lowered(SPEC).context.identity(workload)
        assert identity is not None
        assert isinstance(identity.value, Identity)
        assert "shared" not in {grant.store for grant in identity.value.access}


def test_promoter_may_reach_the_source() -> None:
    """The promoter's network policy allows the source's port only if a model is imported from there."""
    without = changed("s3://acme-models/triage/4", "models:/shared-triage/4")

    assert 9000 in ports(SPEC)
    assert 9000 not in ports(without)


def ports(text: str) -> set[int]:
    """Return the egress ports in the promoter's network policy."""
    policy: Object = lowered(text).get("NetworkPolicy", "promoter")
    return {port["port"] for rule in policy["spec"]["egress"] for port in rule.get("ports", ())}


def test_promoter_has_secrets_of_both_stores() -> None:
    pod = lowered(SPEC).get("CronJob", "promoter")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    secrets = {
        variable["valueFrom"]["secretKeyRef"]["name"] for variable in container["env"] if "valueFrom" in variable
    }

    assert {"lake", "shared", "mlflow-login.promoter"} <= secrets


def test_promoter_scratch_volume_fits_the_largest_import() -> None:
    """The promoter's scratch volume is limited to twice the size of the largest import."""
    pod = lowered(SPEC).get("CronJob", "promoter")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (scratch,) = [volume for volume in pod["volumes"] if volume["name"] == "scratch"]

    assert scratch["emptyDir"] == {"sizeLimit": "16Gi"}
    assert 2 * LARGEST_BYTES <= PROMOTER_DISK_BYTES == 16 * 2**30


def test_servers_follow_the_promoters_history() -> None:
    for variant in ("live", "next"):
        name = f"scorer-{variant}"
        assert described(SPEC, name)["applications"][name]["model"]["history"] == "claims/claims-triage/aliases"


def test_import_compiles_on_premises_and_for_aws() -> None:
    """The spec compiles for on-premises clusters and AWS, and the README explains how to approve the import."""
    for text in (SPEC, on_aws()):
        outcome = compile_text(text)
        assert outcome.ok, outcome.diagnostics
        (readme,) = [content for path, content in outcome.files.items() if path.endswith("main/README.md")]
        assert b"### Import" in readme
        assert b"modelyard approve . --model triage --alias champion --digest DIGEST" in readme
        server = next(
            content for content in outcome.files.values() if b'"movers"' in content or b'\\"movers\\"' in content
        )
        assert b"claims/claims-triage" in server


def test_promoter_role_in_aws_has_the_same_access() -> None:
    grants = arguments(calls_by_name(on_aws())["Identity promoter"])["access"]

    assert [(grant["prefix"], grant["mode"]) for grant in grants] == [
        ("mlflow/models/", "read"),
        ("mlflow/models/claims-triage/", "append"),
        ("triage/4/", "read"),
    ]


def test_import_alerts_are_tickets() -> None:
    """The missing import and pending approval alerts have severity `ticket`."""
    by_name = {alert["alert"]: alert for alert in alerts(SPEC, "registry.alerts")}

    missing = by_name["ModelyardImportMissing"]
    assert missing["expr"].startswith('max(last_over_time(modelyard_import_missing{namespace="claims",model="triage"')
    assert (missing["labels"]["severity"], missing["for"]) == ("ticket", "600s")
    waiting = by_name["ModelyardApprovalWaiting"]
    assert 'model="triage",alias="champion"' in waiting["expr"]
    assert "It serves as 'challenger', is ready to become 'champion'" in waiting["annotations"]["description"]


def test_unreachable_import_bucket_is_refused() -> None:
    """Importing from a bucket the promoter can't reach is rejected at the import's line in the spec."""
    text = changed(
        DEPLOYMENT,
        "deployment:\n  mode: on-prem\n  targets:\n"
        f"    main: {{provider: kubernetes, context: frankfurt, {GATEWAY}}}\n"
        "    other: {provider: kubernetes, context: berlin}\n  placement: {default: main}",
    ).replace("adopt: acme-models,", "adopt: acme-models, target: other,")
    outcome = compile_text(text)

    refused = [diagnostic for diagnostic in outcome.diagnostics if diagnostic.severity.value == "error"]
    lines = text.splitlines()
    assert [lines[diagnostic.span.line - 1].strip()[:7] for diagnostic in refused if diagnostic.span is not None] == [
        "import:"
    ]
