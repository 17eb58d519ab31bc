"""Tests that all workloads have valid objects and descriptions, and that every spec field has an effect."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import jsonschema
import jsonschema_rs
import pytest

from modelyard.plan import Kind
from modelyard.validate import python_fits, rust_fits
from tests.accepted import not_asked
from tests.crds import problems
from tests.lowering import Object, context_of, differences, lower_workload, lowered, pod_specs
from tests.plans import large_spec, plan_of
from tests.specs import VALID_SPEC, changed

SCHEMA = json.loads(
    (Path(__file__).parents[4] / "schemas/modelyard_schemas/v1alpha1/workload.schema.json").read_text(encoding="utf-8")
)
EDGE = changed("      residency: eu\n", "      residency: eu\n      edge: true\n")
ENTERPRISE = changed("size: small", "size: enterprise")
POOLED = changed(
    "    capture: {sample: 20%, store: lake}\n",
    "    capture: {sample: 20%, store: lake}\n    pool: shared\n",
    ("      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n", ""),
)
INCREMENTAL = changed(
    "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n",
    "    rollout: {strategy: incremental, step: 20%, interval: 2m, maxSurge: 50%}\n",
    ("{name: edge, namespace: gateways, mirrors: true}", "{class: istio}"),
    ("exposure: internal\n      host: scores.acme.example\n", "exposure: internal\n"),
)
ONCE = changed(
    'schedule: {cron: "0 4 * * 0", timeZone: Europe/Berlin}', "schedule: once", ("run: pipelines.retrain, ", "")
)
MIRRORED = changed(
    "traffic: {champion: 95, challenger: 5}",
    "traffic: {champion: 100, challenger: 0}\n    mirror: {to: challenger, percent: 10}",
)
PULLED = changed(
    "      gateway: {name: edge",
    "      images: {registry: registry.acme.example, pullSecret: pull, mirror: true}\n"
    "      egress: [10.0.0.0/8]\n      gateway: {name: edge",
)
SPECS = {
    "valid": VALID_SPEC,
    "edge": EDGE,
    "enterprise": ENTERPRISE,
    "pooled": POOLED,
    "incremental": INCREMENTAL,
    "once": ONCE,
    "mirrored": MIRRORED,
    "pulled": PULLED,
}


@pytest.mark.parametrize("name", SPECS)
def test_every_object_is_valid_by_its_own_api(name: str) -> None:
    """All objects match their schemas: the CRDs of KubeRay and the Gateway API, or Kubernetes's own schemas."""
    manifests = list(lowered(SPECS[name]))

    assert len(manifests) > 30
    assert [
        (manifest["kind"], manifest["metadata"]["name"], problems(manifest))
        for manifest in manifests
        if problems(manifest)
    ] == []


@pytest.mark.parametrize("name", SPECS)
def test_names_are_unique_within_a_kind(name: str) -> None:
    keys = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in lowered(SPECS[name])]

    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("name", SPECS)
def test_every_description_fits_its_schema(name: str) -> None:
    """All descriptions match their schema according to two validators."""
    texts = [
        manifest["data"]["workload.json"]
        for manifest in lowered(SPECS[name])
        if "workload.json" in manifest.get("data", {})
    ]
    fast, usual = rust_fits(SCHEMA), python_fits(SCHEMA)

    assert len(texts) >= 6
    for text in texts:
        described = json.loads(text)
        assert usual(SCHEMA, described)
        assert fast(SCHEMA, described)


def test_the_schema_of_descriptions_is_closed() -> None:
    """The schema of descriptions rejects unknown fields at any depth."""
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    described = json.loads(lowered(VALID_SPEC).get("ConfigMap", "retrain-description")["data"]["workload.json"])
    for where in (described, described["pipeline"], described["pipeline"]["steps"]["retrain"]):
        assert jsonschema_rs.is_valid(SCHEMA, described)
        where["surprise"] = 1
        assert not jsonschema_rs.is_valid(SCHEMA, described)
        del where["surprise"]


@pytest.mark.parametrize("name", ["valid", "edge", "enterprise", "pooled"])
def test_every_pod_is_restricted(name: str) -> None:
    """All containers meet the Pod security level `restricted` and have a read-only root file system."""
    checked = 0
    for manifest in lowered(SPECS[name]):
        texts = [json.loads(text) for key, text in manifest.get("data", {}).items() if key == "rayjob.json"]
        for pod in pod_specs([manifest, texts]):
            assert pod["securityContext"]["runAsNonRoot"] is True
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            for container in pod["containers"]:
                checked += 1
                context = container["securityContext"]
                assert context["allowPrivilegeEscalation"] is False
                assert context["capabilities"] == {"drop": ["ALL"]}
                assert context["readOnlyRootFilesystem"] is True
                assert container["resources"]["requests"] == container["resources"]["limits"]
    assert checked >= 15


def test_lowering_is_deterministic() -> None:
    """Lowering the same resources twice returns equal objects."""
    first = [json.dumps(manifest) for manifest in lowered(VALID_SPEC)]
    second = [json.dumps(manifest) for manifest in lowered(VALID_SPEC)]

    assert first == second


def test_every_policy_selects_a_pod_template() -> None:
    """The selector of every NetworkPolicy matches a Pod template."""
    manifests = lowered(VALID_SPEC)
    text = json.dumps(list(manifests))
    for policy in manifests.names("NetworkPolicy"):
        selected = manifests.get("NetworkPolicy", policy)["spec"]["podSelector"]["matchLabels"][
            "app.kubernetes.io/name"
        ]
        assert f'"app.kubernetes.io/name": "{selected}", "app.kubernetes.io/part-of"' in text


def test_objects_have_their_spec_path() -> None:
    """Each lowered object records the spec path that it comes from, down to the variant."""
    origins = {(item.manifest["kind"], item.origin) for item in lowered(VALID_SPEC).objects}

    assert ("RayService", ("inference", "scorer", "variants", "challenger")) in origins
    assert ("CronJob", ("pipelines", "retrain", "schedule")) in origins
    assert ("HTTPRoute", ("inference", "scorer", "traffic")) in origins


def test_credentials_are_secret_references() -> None:
    """Containers get credentials only through references to Kubernetes Secrets."""
    for manifest in lowered(VALID_SPEC):
        for pod in pod_specs(manifest):
            for container in pod["containers"]:
                for variable in container["env"]:
                    is_secret = any(word in variable["name"] for word in ("KEY", "PASSWORD", "TOKEN", "USERNAME"))
                    assert is_secret == ("secretKeyRef" in variable.get("valueFrom", {})), variable["name"]


def test_workloads_are_lowered_on_demand() -> None:
    """Workloads are lowered on demand, so the cost of the first few doesn't depend on the total."""
    plan = plan_of(large_spec(200))
    context = context_of(plan, "far")
    servers = [resource for resource in plan.on("far") if resource.kind is Kind.MODEL_SERVER]
    first = next(iter(lower_workload(servers[0], context)))

    assert len(servers) > 150
    assert first.manifest["kind"] == "NetworkPolicy"


FIELDS = {
    "metadata.name": ("{name: fraud,", "{name: fraude,"),
    "profile.size": ("size: small", "size: enterprise"),
    "owner.team": ("team: payments-risk", "team: cards"),
    "owner.email": ("email: payments-risk@", "email: cards@"),
    "risk": ("risk: limited", "risk: high"),
    "dataClasses": ("dataClasses: [pii]", "dataClasses: [pii, cardholder]"),
    "approvals.from": ("from: [model-risk, payments-risk]", "from: [payments-risk, model-risk]"),
    "approvals.minimum": ("minimum: 2", "minimum: 1"),
    "lineage": ("  risk: limited", "  lineage: false\n  risk: limited"),
    "retention.runs": ("runs: 7d", "runs: 8d"),
    "retention.captures": ("captures: 90d", "captures: 30d"),
    "namespace": ("context: frankfurt", "context: frankfurt\n      namespace: cards"),
    "edge": ("residency: eu\n", "residency: eu\n      edge: true\n"),
    "gateway.name": ("{name: edge,", "{name: front,"),
    "gateway.namespace": ("namespace: gateways", "namespace: front"),
    "gateway.listener": ("{name: edge,", "{name: edge, listener: https,"),
    "store.adopt": ("adopt: acme-fraud-lake", "adopt: acme-lake"),
    "store.endpoint": ("https://s3.acme.example", "https://s4.acme.example"),
    "store.endpoint.port": ("https://s3.acme.example", "https://s3.acme.example:9000"),
    "store.region": ("adopt: acme-fraud-lake", "region: fra, adopt: acme-fraud-lake"),
    "store.credentials": ("secret://vault/lake", "secret://vault/sea"),
    "compute.cpu": ("{cpu: 2, memory: 8Gi}", "{cpu: 1500m, memory: 8Gi}"),
    "compute.memory": ("{cpu: 2, memory: 8Gi}", "{cpu: 2, memory: 6Gi}"),
    "compute.disk": ("{cpu: 2, memory: 8Gi}", "{cpu: 2, memory: 8Gi, disk: 20Gi}"),
    "compute.accelerators": ('accelerators: ["L4:1", "A10G:1"]', "accelerators: []"),
    "data.path": ("path: transactions/", "path: payments/"),
    "data.format": ("path: scores/, format: parquet", "path: scores/, format: csv"),
    "data.schema": ("amount: number", "amount: integer"),
    "data.features": ("features: [amount, merchant]", "features: [amount]"),
    "data.label": ("    label: is_fraud\n", "    label: merchant\n"),
    "data.timestamp": ("    timestamp: event_time\n", ""),
    "data.delay": ("delay: 45d", "delay: 30d"),
    "data.classification": ("classification: internal", "classification: confidential"),
    "data.description": ("  scores: {", "  scores: {description: Nightly., "),
    "model.task": ("task: binary-classification", "task: ranking"),
    "model.framework": ("framework: xgboost", "framework: lightgbm"),
    "model.registeredName": ("    framework: xgboost", "    registeredName: Fraud\n    framework: xgboost"),
    "model.card.purpose": ("purpose: Ranks", "purpose: Sorts"),
    "model.card.limitations": ("Not for corporate", "Never for corporate"),
    "model.card.contact": ("card: {", "card: {contact: a@b.example, "),
    "model.card.license": ("card: {", "card: {license: internal, "),
    "model.validation.min": ("min: 0.82", "min: 0.83"),
    "model.validation.metric": ("{metric: auc_pr, min: 0.82}", "{metric: auc_roc, min: 0.82}"),
    "model.validation.minDelta": ("minDelta: 0.01", "minDelta: 0.02"),
    "model.validation.confidence": ("minDelta: 0.01}", "minDelta: 0.01, confidence: 90%}"),
    "model.validation.by": ("min: 0.82}", "min: 0.82, by: merchant}"),
    "model.validation.maxDifference": ("min: 0.82}", "min: 0.82, by: merchant, maxDifference: 0.1}"),
    "model.validation.minRows": ("min: 0.82}", "min: 0.82, minRows: 500}"),
    "model.threshold": ("    explainability: {method: shap}", "    threshold: 0.3\n    explainability: {method: shap}"),
    "model.validation.data": ("min: 0.82}", "min: 0.82, data: chargebacks}"),
    "model.explainability.method": ("method: shap", "method: permutation"),
    "model.explainability.sample": ("method: shap", "method: shap, sample: 50"),
    "pipeline.inputs": ("inputs: [transactions]\n    compute: train", "inputs: [chargebacks]\n    compute: train"),
    "pipeline.model": ("model: fraud-xgb@champion\n", "model: fraud-xgb@candidate\n"),
    "pipeline.output": ("output: scores", "output: chargebacks"),
    "pipeline.workers.max": ("workers: {min: 1, max: 2}", "workers: {min: 1, max: 3}"),
    "pipeline.workers.min": ("workers: {min: 1, max: 4}", "workers: {min: 2, max: 4}"),
    "pipeline.compute": ("compute: train\n", "compute: cpu\n"),
    "pipeline.cron": ('"0 4 * * 0"', '"0 3 * * 0"'),
    "pipeline.timeZone": ("Europe/Berlin", "Europe/Paris"),
    "pipeline.overlap": ("timeZone: Europe/Berlin", "timeZone: Europe/Berlin, overlap: replace"),
    "pipeline.startingDeadline": ("timeZone: Europe/Berlin", "timeZone: Europe/Berlin, startingDeadline: 2h"),
    "pipeline.timeout": ("timeout: 6h", "timeout: 5h"),
    "pipeline.retries": ("timeout: 6h", "timeout: 6h\n    retries: 3"),
    "pipeline.parameters": ("device: cuda", "device: cuda, rounds: 10"),
    "pipeline.trainer": ("timeout: 6h", "timeout: 6h\n    trainer: lightgbm"),
    "pipeline.source.image": ("timeout: 6h", "timeout: 6h\n    source: {image: acme/train:1}"),
    "pipeline.source.entrypoint": ("timeout: 6h", 'timeout: 6h\n    source: {entrypoint: "fraud.train:main"}'),
    "pipeline.promoteTo": ("timeout: 6h", "timeout: 6h\n    promoteTo: candidate"),
    "pipeline.batchSize": ("output: scores", "output: scores\n    batchSize: 512"),
    "pipeline.reprocess": ("output: scores", "output: scores\n    reprocess: all"),
    "pipeline.reprocess.window": ("output: scores", "output: scores\n    reprocess: {window: 7d}"),
    "step.needs": ("needs: [collect], ", ""),
    "step.timeout": ("timeout: 1h", "timeout: 2h"),
    "step.retries": ("timeout: 1h", "timeout: 1h, retries: 2"),
    "step.workers": ("timeout: 1h", "timeout: 1h, workers: 2"),
    "step.output": ("timeout: 1h", "timeout: 1h, output: chargebacks"),
    "step.inputs": ("timeout: 1h", "timeout: 1h, inputs: [transactions]"),
    "step.compute": ("timeout: 1h", "timeout: 1h, compute: train"),
    "step.parameters": ("timeout: 1h", "timeout: 1h, parameters: {to: [a]}"),
    "tuning.metric": ("objective: {metric: auc_pr", "objective: {metric: auc_roc"),
    "tuning.goal": ("goal: maximize", "goal: minimize"),
    "tuning.trials": ("max: 20, parallel", "max: 21, parallel"),
    "tuning.parallel": ("parallel: 2", "parallel: 3"),
    "tuning.earlyStopping": ("earlyStopping: asha", "earlyStopping: none"),
    "tuning.seed": ("earlyStopping: asha", "earlyStopping: asha\n      seed: 7"),
    "tuning.space": ("loguniform: [0.001, 0.3]", "uniform: [0.001, 0.3]"),
    "tuning.space.low": ("int: [3, 12]", "int: [4, 12]"),
    "split.fraction": ("fraction: 20%", "fraction: 25%"),
    "split.by": ("by: time", "by: random"),
    "split.seed": ("by: time", "by: time, seed: 3"),
    "split.key": ("by: time", "by: time, key: [merchant]"),
    "variant.model": ("{model: fraud-xgb@candidate", "{model: fraud-xgb@next"),
    "variant.version": ("{model: fraud-xgb@candidate", "{model: fraud-xgb@7"),
    "variant.replicas": ("replicas: 1}", "replicas: 2}"),
    "variant.compute": ("replicas: 1}", "replicas: 1, compute: train}"),
    "traffic": ("{champion: 95, challenger: 5}", "{champion: 90, challenger: 10}"),
    "mirror": ("{champion: 95, challenger: 5}", "{champion: 100, challenger: 0}\n    mirror: {to: challenger}"),
    "replicas.min": ("replicas: {min: 2, max: 6}", "replicas: {min: 3, max: 6}"),
    "replicas.max": ("replicas: {min: 2, max: 6}", "replicas: {min: 2, max: 7}"),
    "scaling.target": ("target: 8}", "target: 4}"),
    "scaling.upscaleDelay": ("target: 8}", "target: 8, upscaleDelay: 10s}"),
    "scaling.downscaleDelay": ("target: 8}", "target: 8, downscaleDelay: 5m}"),
    "batching.maxSize": ("    slo: {", "    batching: {maxSize: 8}\n    slo: {"),
    "batching.maxWait": ("    slo: {", "    batching: {maxWait: 5ms}\n    slo: {"),
    "slo.latency": ("slo: {p99: 50ms", "slo: {p99: 40ms"),
    "rollout.strategy": ("    slo: {", "    rollout: {strategy: in-place}\n    slo: {"),
    "capture.sample": ("sample: 20%", "sample: 30%"),
    "capture.path": ("sample: 20%", "sample: 20%, path: kept/"),
    "capture.retain": ("sample: 20%", "sample: 20%, retain: 10d"),
    "endpoint.exposure": ("exposure: internal\n      host: scores.acme.example", "exposure: cluster"),
    "endpoint.host": ("scores.acme.example", "score.acme.example"),
    "endpoint.path": ("host: scores.acme.example", "host: scores.acme.example\n      path: /score"),
    "endpoint.timeout": ("host: scores.acme.example", "host: scores.acme.example\n      timeout: 30s"),
    "endpoint.clients": ("host: scores.acme.example", "host: scores.acme.example\n      clients: [shop]"),
    "endpoint.accessLog": ("host: scores.acme.example", "host: scores.acme.example\n      accessLog: true"),
    "endpoint.auth": ("secret://vault/scorer#token", "secret://vault/scorer#other"),
    "endpoint.auth.tokens": ("token: secret://vault/scorer#token", "tokens: {shop: secret://vault/scorer#token}"),
    "inference.entrypoint": ("    slo: {", '    source: {entrypoint: "fraud.serve:predict"}\n    slo: {'),
    "inference.image": ("    slo: {", "    source: {image: acme/serve:1}\n    slo: {"),
    "monitor.type": ("type: data-drift", "type: prediction-drift"),
    "monitor.reference.data": ("{data: transactions, window: 30d}", "{data: chargebacks, window: 30d}"),
    "monitor.reference.window": ("window: 30d", "window: 20d"),
    "monitor.window": ("    window: 1d\n", "    window: 2d\n"),
    "monitor.schedule": ('"0 6 * * 1"', '"0 7 * * 1"'),
    "monitor.check.max": ("psi: {max: 0.2}", "psi: {max: 0.3}"),
    "monitor.check.metric": ("psi: {max: 0.2}", "ks: {max: 0.2}"),
    "monitor.check.features": ("features: [amount]", "features: [merchant]"),
    "monitor.check.severity": ("severity: ticket", "severity: page"),
    "monitor.labels": ("labels: chargebacks", "labels: transactions"),
    "monitor.compute": ("    labels: chargebacks", "    compute: cpu\n    labels: chargebacks"),
    "monitor.run": ("run: pipelines.retrain", "run: pipelines.nightly"),
    "monitor.cooldown": ("cooldown: 3d", "cooldown: 4d"),
    "monitor.rollback": ("rollback: true", "rollback: false"),
    "telemetry.prometheus": (
        "context: frankfurt",
        'context: frankfurt\n      telemetry: {prometheus: "http://p.m.svc:9090"}',
    ),
    "telemetry.namespace": ("context: frankfurt", "context: frankfurt\n      telemetry: {namespace: watch}"),
    "egress": ("context: frankfurt", "context: frankfurt\n      egress: [10.1.0.0/16]"),
    "images.pullSecret": ("context: frankfurt", "context: frankfurt\n      images: {pullSecret: pull}"),
    "present": ("context: frankfurt", "context: frankfurt\n      present: [kuberay]"),
    "secretStores.via": ("via: external-secrets, store: vault", "via: existing"),
}


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_changes_the_output(field: str) -> None:
    """Changing any single field of a resource changes the output."""
    with not_asked():
        other = list(lowered(changed(*FIELDS[field])))

    assert list(differences(_valid(), other))


@cache
def _valid() -> list[Object]:
    return list(lowered(VALID_SPEC))
