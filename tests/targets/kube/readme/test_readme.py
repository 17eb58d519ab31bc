"""Tests that the README lists prerequisites, instructions, and the images to mirror."""

from __future__ import annotations

import re
from pathlib import Path

from modelyard.api import compile_text
from modelyard_targets.kube.monitoring import slo_rules
from modelyard_targets.kube.project import site_rules
from modelyard_targets.kube.readme.alerts import CONDITIONS
from tests.emitted import context, files
from tests.examples import SYSTEMS
from tests.specs import VALID_SPEC, changed


def test_readme_explains_apply_and_undo() -> None:
    text = files(VALID_SPEC)["README.md"]

    assert "pulumi stack init prod\npulumi up\n" in text
    assert "pulumi config set protect false\npulumi up\npulumi destroy\n" in text
    assert "for database runs." in text


def test_undo_mentions_protection_only_if_needed() -> None:
    without = changed(
        "  runs: {type: database}",
        '  runs: {type: database, adopt: db.acme.example/runs, credentials: "secret://vault/db"}',
    )
    undo = files(without)["README.md"].partition("## Undo\n")[2].partition("\n## ")[0]

    assert undo.startswith("\n```\npulumi destroy\n```\n\nAdopted resources stay as they are")
    assert "protect" not in undo


def test_readme_explains_the_image_build() -> None:
    image = context(VALID_SPEC).runtime_image
    pushed = changed(
        "      residency: eu\n", "      residency: eu\n      images: {registry: registry.acme.example/ml}\n"
    )

    assert f"docker build --platform linux/amd64 -t {image} image" in files(VALID_SPEC)["README.md"]
    assert "docker push registry.acme.example/ml/fraud-runtime:" in files(pushed)["README.md"]
    assert "docker push" not in files(VALID_SPEC)["README.md"]


def test_readme_explains_pulumi_state() -> None:
    text = files(VALID_SPEC)["README.md"].partition("## Apply")[0]

    for phrase in ("`pulumi login s3://BUCKET`", "`PULUMI_CONFIG_PASSPHRASE`", "passwords and keys"):
        assert phrase in text


def test_readme_warns_about_missing_backups() -> None:
    adopted = changed(
        "  runs: {type: database}",
        '  runs: {type: database, adopt: db.acme.example/runs, credentials: "secret://vault/db"}',
    )

    assert "There is no backup of the database `runs`" in files(VALID_SPEC)["README.md"]
    assert "backs up" not in files(adopted)["README.md"]


def test_readme_explains_log_deletion() -> None:
    adopted = files(VALID_SPEC)["README.md"]
    managed = files(changed("adopt: acme-fraud-lake, ", ""))["README.md"]

    assert "The bucket is adopted: logs stay until its owner deletes them.\n\n## Connections\n" in adopted
    assert "A lifecycle rule of the bucket deletes each log after 90 days.\n\n## Connections\n" in managed


def test_readme_explains_metrics_retention() -> None:
    there = changed("      residency: eu\n", "      residency: eu\n      present: [prometheus]\n")
    sentence = "Prometheus keeps metrics for 15d, or until they fill 18Gi of its 20Gi volume if that is sooner"

    assert sentence in files(VALID_SPEC)["README.md"]
    assert "Prometheus keeps metrics" not in files(there)["README.md"]


def test_readme_lists_required_secrets() -> None:
    text = changed("secretStores: {vault: {via: external-secrets, store: vault}}", "secretStores: {vault: {}}")

    assert "| `fraud` | `lake` | access-key-id, secret-access-key |" in files(text)["README.md"]
    assert "ClusterSecretStore vault" in files(VALID_SPEC)["README.md"]


def test_readme_mentions_stores_that_are_created_later() -> None:
    """If we install External Secrets, its SecretStores can be created only afterwards."""
    there = changed("      residency: eu\n", "      residency: eu\n      present: [external-secrets]\n")

    assert "workloads that read a secret wait until its store exists" in files(VALID_SPEC)["README.md"]
    assert "workloads that read a secret wait until its store exists" not in files(there)["README.md"]


def test_readme_names_the_oldest_supported_add_on_version() -> None:
    """The README requires the first KubeRay version that supports `authOptions`, or newer."""
    there = changed("      residency: eu\n", "      residency: eu\n      present: [kuberay, prometheus]\n")

    assert "to exist already: prometheus, kuberay 1.6.0 or newer." in files(there)["README.md"]


def test_readme_lists_namespaces_of_secret_stores() -> None:
    """The README lists SecretStores in the system's namespace and, for the remote-write token, in `monitoring`."""
    remote = '      telemetry: {remoteWrite: "https://m.acme.example/push", secret: secret://vault/metrics#token}\n'
    text = changed(
        "store: vault}}",
        "store: vault, scope: namespace}}",
        ("      residency: eu\n", f"      residency: eu\n{remote}"),
    )
    readme = files(text)["README.md"]

    assert "SecretStore vault in the namespace fraud" in readme
    assert "SecretStore vault in the namespace monitoring" in readme


def test_readme_lists_the_required_gateway() -> None:
    """The README lists the existing Gateway or GatewayClass required by any endpoint."""
    from_class = changed("{name: edge, namespace: gateways, mirrors: true}", "{class: cilium, mirrors: true}")
    closed = changed(
        "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n",
        "",
        ("      exposure: internal\n      host: scores.acme.example\n", ""),
    )

    assert "1. The Gateway `edge` has to exist, in the namespace `gateways`.\n" in files(VALID_SPEC)["README.md"]
    assert "1. The GatewayClass `cilium` has to exist, with its controller" in files(from_class)["README.md"]
    assert "Gateway" not in files(closed)["README.md"]


def test_readme_lists_endpoint_addresses() -> None:
    """The README lists each endpoint's Gateway, address, and permitted callers."""
    from_class = changed(
        "{name: edge, namespace: gateways, mirrors: true}", "{class: cilium, certificate: secret://vault/t}"
    )
    inner = changed("      exposure: internal\n      host: scores.acme.example\n", "")
    text = files(VALID_SPEC)["README.md"]

    assert "| scorer | `edge` | `scores.acme.example/` | the company's network |" in text
    assert (
        "`kubectl -n gateways get gateway` shows the address of a Gateway once it has one; point the DNS name" in text
    )
    assert (
        "| scorer | `fraud` | `https://scores.acme.example/` | the company's network |"
        in files(from_class)["README.md"]
    )
    assert "| `any host, /` | Pods of the cluster, and anyone who can reach the Gateway |" in files(inner)["README.md"]


def test_readme_explains_incremental_rollouts() -> None:
    text = changed(
        "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n",
        "    rollout: {strategy: incremental}\n",
        ("      host: scores.acme.example\n", "      path: /v1\n"),
        ("{name: edge, namespace: gateways, mirrors: true}", "{class: cilium}"),
    )
    readme = files(text)["README.md"]

    assert "| scorer | `scorer-gateway` | `http, any host, /v1` | the company's network |" in readme
    assert "callers of scorer-serve-svc switch all at once" in readme


def test_readme_explains_chart_mirrors() -> None:
    mirrored = changed(
        "      residency: eu\n", "      residency: eu\n      images: {registry: registry.acme.example, mirror: true}\n"
    )

    assert "name a mirror with `pulumi config set chartRepository URL`." in files(mirrored)["README.md"]
    assert "chartRepository" not in files(VALID_SPEC)["README.md"]


def test_readme_lists_connections_with_protocol_and_port() -> None:
    assert (
        "| `main:registry/registry` | `main:database/runs` | database | postgresql | 5432 |"
        in files(VALID_SPEC)["README.md"]
    )


def test_readme_lists_the_cost() -> None:
    assert "| machines cost at most | 2190 USD a month" in files(VALID_SPEC)["README.md"]
    assert "| budget | 18000 USD a month |" in files(VALID_SPEC)["README.md"]


def test_readme_lists_overrides_with_their_reason() -> None:
    override = (
        "{object: RayService/scorer-champion, patch: [{op: add, path: /spec/suspend, value: true}], reason: Sold out.}"
    )

    assert (
        "| shm | `RayService/scorer-champion` | Sold out. |"
        in files(f"{VALID_SPEC}overrides: {{shm: {override}}}\n")["README.md"]
    )


def test_user_text_is_escaped() -> None:
    hostile = "<script>alert(1)</script> [x](javascript:y) `code` | cell"
    text = changed("description: Scores card payments.", f'description: "{hostile}"')

    assert "&lt;script&gt;alert(1)&lt;/script&gt; \\[x\\](javascript:y) \\`code\\` \\| cell" in files(text)["README.md"]
    assert "<script>" not in files(text)["README.md"]


def test_image_list_has_names_in_the_edge_registry() -> None:
    edge = "edge: true\n      images: {registry: registry.shop.example, mirror: true}"
    listed = files(changed("      residency: eu\n", f"      residency: eu\n      {edge}\n"))["images.txt"].splitlines()

    assert "docker.io/rayproject/ray:2.60.0-py311 registry.shop.example/rayproject/ray:2.60.0-py311" in listed
    assert "quay.io/kuberay/operator:v1.7.0 registry.shop.example/kuberay/operator:v1.7.0" in listed
    assert listed == sorted(listed)


def test_readme_lists_namespaces_for_the_pull_secret() -> None:
    """The pull secret is needed in the system's namespace and, with a mirror, in those of add-ons."""
    pulled = "      images: {registry: registry.acme.example, pullSecret: pull}\n"
    text = changed("      residency: eu\n", f"      residency: eu\n{pulled}")
    mirrored = text.replace("pullSecret: pull", "pullSecret: pull, mirror: true")

    assert "has to be in the namespace `fraud`.\n" in files(text)["README.md"]
    assert (
        "which you may create first: `fraud`, `monitoring`, `external-secrets`, `cnpg-system`, `kuberay-system`.\n"
        in files(mirrored)["README.md"]
    )


def test_readme_lists_metrics_connections() -> None:
    """The README lists the servers that are scraped and the monitors that push metrics."""
    text = files(VALID_SPEC)["README.md"]

    assert "| `main:cluster/main` | `main:model-server/scorer-champion` | metrics | http | 8080 |" in text
    assert "| `main:monitor/monitor-drift` | `main:cluster/main` | metrics | http | 9090 |" in text


def test_readme_for_a_shared_cluster_mentions_no_namespace_or_crds() -> None:
    """On a shared cluster, the README doesn't mention creating the namespace or CRDs."""
    shared = "      tenancy: shared\n      present: [kuberay, prometheus, cloudnative-pg]\n"
    text = changed(
        "      residency: eu\n",
        f"      residency: eu\n{shared}",
        ("secretStores: {vault: {via: external-secrets, store: vault}}", "secretStores: {vault: {}}"),
    )
    readme = files(text)["README.md"]

    assert "creates the namespace" not in readme
    assert "custom resource definitions" not in readme
    assert "custom resource definitions" in files(VALID_SPEC)["README.md"]


def test_readme_lists_requirements_for_an_existing_prometheus() -> None:
    """The README lists the OTLP receiver and the labels that an existing Prometheus must have."""
    present = "      present: [prometheus]\n      telemetry: {labels: {release: main, team: fraud}}\n"
    text = changed("      residency: eu\n", f"      residency: eu\n{present}")
    readme = files(text)["README.md"]

    assert "AlertmanagerConfigs, with the label `release=main` and `team=fraud`." in readme
    assert "`--web.enable-otlp-receiver`" in readme
    assert "otlp" not in files(VALID_SPEC)["README.md"]


def test_the_readme_lists_alerts_and_the_channels_that_they_notify() -> None:
    readme = files(VALID_SPEC)["README.md"]
    table = readme[readme.index("## Alerts") : readme.index("## Undo")]

    assert "| The error budget burns too fast; the endpoint stops answering | scorer | oncall |" in table
    assert "| Nodes, volumes, add-ons and Prometheus itself | the cluster | oncall |" in table
    assert "| A run failed; a version failed the gate; a version waits for approval | try-out | oncall |" in table
    assert "| A check fails; a check cannot be measured; the monitor does not run | drift | oncall |" in table
    assert "; too many predictions have no label; the monitor does not run | quality | oncall |" in table


def test_the_alert_table_has_only_conditions_of_emitted_alerts() -> None:
    """Batch inference has no gate, and a run that starts once is never missing."""
    readme = files(VALID_SPEC)["README.md"]
    about = {row.split(" | ")[1]: row.split(" | ")[0] for row in readme.splitlines() if row.startswith("| A run")}

    assert about["nightly"] == (
        "| A run failed; a run is missing; runs are not monitored; files that do not fit are skipped"
    )
    assert about["report"] == "| A run failed"
    assert "failed the gate" in about["retrain"]


def test_each_alert_has_a_condition_in_the_table() -> None:
    sources = [*Path(slo_rules.__file__).parent.glob("*.py"), Path(site_rules.__file__)]
    named = {name for path in sources for name in re.findall(r'"(Modelyard\w+)"', path.read_text(encoding="utf-8"))}

    assert named == CONDITIONS.keys()


def test_state_metrics_are_required_of_an_existing_prometheus_with_rules_that_use_them() -> None:
    """A Prometheus that the project installs has them, and alerts about a drift monitor need none."""
    present = changed("      residency: eu\n", "      residency: eu\n      present: [prometheus]\n")
    sentence = "series of kube-state-metrics, which the existing Prometheus has to scrape"

    assert sentence in files(present)["README.md"]
    assert sentence not in files(VALID_SPEC)["README.md"]
    tills = (SYSTEMS / "tills" / "system.yaml").read_text(encoding="utf-8")
    watching = compile_text(tills.replace("edge: true", "edge: true, present: [prometheus]")).files
    assert b"PodMonitors, PrometheusRules" in watching["default/shop/README.md"]
    assert sentence.encode() not in watching["default/shop/README.md"]
