"""Tests that clusters get the add-ons, channels, secrets, registry and machines needed by their workloads."""

from __future__ import annotations

import pytest

from modelyard.plan import Kind, NodePool, Offer, Plan, Secret
from modelyard.planner import plan
from tests.compiler.planner.planned import CLOUD, ON_PREM, ON_TWO, addons, assert_whole, links
from tests.examples import FOLDER
from tests.plans import large_spec, marked_diagnostics, plan_of, planned, resource, system_of
from tests.specs import VALID_SPEC, changed


def plan_on_cloud(text: str) -> Plan:
    """Return the plan for a spec whose only target creates its own machines."""
    result, diagnostics = plan(system_of(text), {"main": CLOUD})
    assert result is not None, diagnostics
    return result


def test_only_needed_addons_are_installed() -> None:
    """Operators are installed only if a workload needs them."""
    assert addons(plan_of(VALID_SPEC)) == ("prometheus", "external-secrets", "cloudnative-pg", "kuberay")
    text = large_spec(0) + "pipelines: {p: {type: custom, source: {entrypoint: 'a:b'}, compute: cpu}}\n"
    assert addons(plan_of(text), "near") == ("prometheus", "kuberay")
    assert addons(plan_of(text.replace(", oncall: oncall", "")), "near") == ("kuberay",)


def test_an_adopted_database_needs_no_operator() -> None:
    spec = changed(
        "runs: {type: database}",
        "runs: {type: database, adopt: db.acme.example/mlflow, credentials: secret://vault/db}",
    )

    assert "cloudnative-pg" not in addons(plan_of(spec))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("mode: on-prem", "mode: on-prem", ("external-secrets", "kuberay")),
        ("runs: {type: database}", "runs: {type: database, adopt: runs, endpoint: db.acme.example}", ("kuberay",)),
        (
            "      gateway: {name: edge, namespace: gateways, mirrors: true}\n",
            "",
            ("external-secrets", "envoy-gateway", "kuberay"),
        ),
    ],
)
def test_addons_follow_the_catalog_of_the_target(old: str, new: str, expected: tuple[str, ...]) -> None:
    """The target's catalog lists the add-ons required by each resource type. Adopted resources require none."""
    needs = {Kind.DATABASE: ("external-secrets",), Kind.ENDPOINT: ("envoy-gateway",), Kind.TRAINING_JOB: ("kuberay",)}
    result, diagnostics = plan(system_of(changed(old, new)), {"main": Offer(ON_PREM.choose, needs)})

    assert result is not None, diagnostics
    assert addons(result) == expected


def test_a_dashboard_is_planned_only_with_a_prometheus() -> None:
    """Prometheus, and therefore a dashboard, is only planned for an SLO, a monitor or telemetry."""
    quiet = large_spec(0) + (
        "models: {m: {task: regression, framework: xgboost}}\n"
        "inference: {e: {variants: {a: {model: m@champion}}, compute: cpu}}\n"
    )

    assert not [item for item in plan_of(quiet).resources if item.kind is Kind.DASHBOARD]
    assert [item.name for item in plan_of(VALID_SPEC).resources if item.kind is Kind.DASHBOARD] == ["scorer"]


def test_channels_are_planned_where_their_alerts_fire() -> None:
    """The owner's channel is planned where SLOs and pipelines are, and a monitor's channel where it runs."""
    result = plan_of(ON_TWO)

    assert sorted(item.place for item in result.resources if item.kind is Kind.CHANNEL) == [
        "branch:channel/oncall",
        "main:channel/oncall",
    ]


def test_cross_target_access_is_a_link() -> None:
    result = plan_of(ON_TWO)

    assert links(result, "branch:model-server/scorer-champion", "registry") == []
    assert links(result, "branch:model-server/scorer-champion", "artifacts") == ["main:object-store/lake"]
    assert links(result, "branch:model-server/scorer-champion", "capture") == ["main:object-store/lake"]
    assert [item.placement for item in result.resources if item.name == "vault-lake"] == ["main", "branch"]


def test_a_link_has_the_port_of_its_url() -> None:
    """Links to existing services and their firewall rules use the port in the URL."""
    text = (
        (FOLDER / "hello" / "system.yaml")
        .read_text()
        .replace("http://mlflow.mlflow.svc:5000", "https://mlflow.acme.example")
    )
    ends = {link.sink: (link.protocol, link.port) for link in plan_of(text).links}

    assert ends["main:registry/registry"] == ("https", 443)
    assert ends["main:object-store/lake"] == ("http", 9000)


def test_a_secret_has_its_readers_and_its_line() -> None:
    secret = resource(plan_of(VALID_SPEC), Kind.SECRET, "vault-scorer-token")

    assert secret.origin == ("inference", "scorer", "endpoint", "auth", "token")
    assert isinstance(secret.value, Secret)
    assert secret.value.workloads == ("inference.scorer",)


def test_a_missing_registry_is_reported_if_models_are_used() -> None:
    spec = changed("registry: {database: runs, artifacts: lake}\n", "")

    assert marked_diagnostics(spec) == ["E0503 fraud-xgb@champion"]


def test_no_registry_is_planned_without_models() -> None:
    bare = plan_of(large_spec(0) + "pipelines: {p: {type: custom, source: {entrypoint: 'a:b'}, compute: cpu}}\n")

    assert not [item for item in bare.resources if item.kind is Kind.REGISTRY]


def test_an_unused_target_is_reported() -> None:
    spec = changed(
        "  placement: {default: main}",
        "    spare: {provider: kubernetes, context: b, residency: eu}\n  placement: {default: main}",
    )
    result, _ = planned(spec)

    assert marked_diagnostics(spec) == ["W0501 spare"]
    assert result is not None
    assert result.placements() == ("main",)


CPU_TOO_LARGE = changed("cpu: {cpu: 2, memory: 8Gi}", "cpu: {cpu: 2, memory: 512Gi}")


def test_a_class_that_fits_no_machine_is_reported_once() -> None:
    result, problems = planned(CPU_TOO_LARGE)

    assert result is None
    assert marked_diagnostics(CPU_TOO_LARGE) == ["E0504 cpu"]
    assert "the closest is capacity[1], which has 128Gi of the requested 512Gi of memory" in problems[0].message


def test_node_pools_are_planned_before_their_workloads() -> None:
    """Each compute class in use gets one node pool originating from it. Existing machines need no node pool."""
    result = plan_on_cloud(VALID_SPEC)
    pools = [item for item in result.resources if item.kind is Kind.NODE_POOL]

    assert [(item.name, item.origin, item.workload) for item in pools] == [
        ("cpu", ("compute", "cpu"), ""),
        ("train", ("compute", "train"), ""),
        ("monitors-default", ("monitors",), ""),
    ]
    assert all(isinstance(item.value, NodePool) and item.value.groups for item in pools)
    assert result.resources.index(pools[-1]) < min(
        at for at, item in enumerate(result.resources) if item.workload or item.kind is Kind.SECRET
    )
    assert [item for item in plan_of(VALID_SPEC).resources if item.kind is Kind.NODE_POOL] == []
    assert_whole(result)


def test_an_unused_class_has_no_machines() -> None:
    text = changed("compute:\n  cpu:", "compute:\n  idle: {cpu: 1, memory: 4Gi}\n  cpu:")

    assert [item.name for item in plan_on_cloud(text).resources if item.kind is Kind.NODE_POOL][:1] == ["cpu"]


def test_an_elastic_class_has_a_pool_without_groups() -> None:
    pool = resource(
        plan_on_cloud(changed("cpu: {cpu: 2,", "cpu: {elastic: true, cpu: 2,")), Kind.NODE_POOL, "cpu"
    ).value

    assert isinstance(pool, NodePool)
    assert (pool.elastic, pool.groups, pool.compute) == (True, (), "cpu")


def test_resources_outside_a_cluster_need_no_cluster() -> None:
    """A target with only buckets has no cluster or namespace, unless its buckets are created in a cluster."""
    text = changed(
        "mode: on-prem",
        "mode: on-prem",
        (
            "  placement: {default: main}",
            "    vaults: {provider: kubernetes, residency: eu, reachableFrom: [main]}\n  placement: {default: main}",
        ),
        ("lake: {type: object, adopt: acme-fraud-lake", "lake: {type: object, target: vaults"),
    )
    apart = Offer(ON_PREM.choose, apart=frozenset({Kind.OBJECT_STORE}))
    separate, diagnostics = plan(system_of(text), {"main": ON_PREM, "vaults": apart})
    joined, _ = plan(system_of(text), {"main": ON_PREM, "vaults": ON_PREM})

    assert separate is not None, diagnostics
    assert joined is not None
    assert [item.address for item in separate.on("vaults")] == ["object-store/lake"]
    assert [item.kind for item in joined.on("vaults")][:2] == [Kind.CLUSTER, Kind.NAMESPACE]
    assert (separate.has_cluster("main"), separate.has_cluster("vaults")) == (True, False)
    assert_whole(separate)


def test_adopted_resources_need_no_cluster() -> None:
    """An adopted resource's credentials aren't copied to a cluster that doesn't use them."""
    text = changed(
        "mode: on-prem",
        "mode: on-prem",
        (
            "  placement: {default: main}",
            "    vaults: {provider: kubernetes, residency: eu, reachableFrom: [main]}\n  placement: {default: main}",
        ),
        ("lake: {type: object, adopt", "lake: {type: object, target: vaults, adopt"),
    )
    result, diagnostics = plan(system_of(text), {"main": ON_PREM, "vaults": ON_PREM})

    assert result is not None, diagnostics
    assert [item.address for item in result.on("vaults")] == ["object-store/lake"]
    assert resource(result, Kind.SECRET, "vault-lake").placement == "main"
