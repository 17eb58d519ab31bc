"""A system becomes a plan: what exists, where, who may do what, and what reaches what."""

from __future__ import annotations

import gc
import time
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.plan import Access, Cluster, Identity, Kind, ModelServer, NodePool, Offer, Plan, Route, Secret
from modelyard.planner import plan
from modelyard.spec import System
from modelyard_targets import TARGETS
from modelyard_targets.aws.hardware import choose as choose_on_aws
from tests.examples import FOLDER
from tests.plans import large_spec, plan_of, planned, resource, system_of, told
from tests.specs import VALID_SPEC, changed

ON_PREM = TARGETS["kubernetes"].offer
CLOUD = Offer(choose_on_aws)
ON_TWO = changed(
    "mode: on-prem",
    "mode: on-prem",
    (
        "  placement: {default: main}",
        "    branch: {provider: kubernetes, context: branch}\n  placement: {default: main, inference: branch}",
    ),
    ("      residency: eu\n", "      residency: eu\n      reachableFrom: [branch]\n"),
)


def made(text: str) -> Plan:
    """The plan of a spec whose one target makes its machines."""
    found, diagnostics = plan(system_of(text), {"main": CLOUD})
    assert found is not None, diagnostics
    return found


def identity(plan: Plan, name: str) -> Identity:
    value = resource(plan, Kind.IDENTITY, name).value
    assert isinstance(value, Identity)
    return value


def links(plan: Plan, source: str, what: str) -> list[str]:
    return [link.sink for link in plan.links if link.source == source and link.what == what]


def addons(plan: Plan, placement: str = "main") -> tuple[str, ...]:
    value = resource(plan, Kind.CLUSTER, placement).value
    assert isinstance(value, Cluster)
    return value.addons


def test_a_training_pipeline_may_read_its_inputs_and_write_artifacts() -> None:
    """An identity holds exactly what its workload names."""
    found = identity(plan_of(VALID_SPEC), "retrain")

    assert found.access == (Access("lake", "transactions/", "read"), Access("lake", "mlflow", "write"))
    assert [ref.path for ref in found.secrets] == ["lake"]
    assert found.api == "autoscaler"


def test_a_batch_pipeline_writes_its_output_and_only_reads_models() -> None:
    found = identity(plan_of(VALID_SPEC), "nightly").access

    assert found == (
        Access("lake", "transactions/", "read"),
        Access("lake", "scores/", "write"),
        Access("lake", "mlflow", "read"),
    )


def test_what_starts_a_run_can_do_nothing_else() -> None:
    """The launcher of a pipeline is another identity than its run, without data and secrets."""
    found = identity(plan_of(VALID_SPEC), "retrain-launcher")

    assert (found.access, found.secrets, found.api) == ((), (), "launcher")


def test_a_pipeline_that_runs_once_needs_no_launcher() -> None:
    once = plan_of(changed('schedule: {cron: "30 3 * * *"}', "schedule: once"))

    assert not [one for one in once.resources if one.name == "nightly-launcher"]


def test_a_server_writes_only_what_it_captures() -> None:
    found = identity(plan_of(VALID_SPEC), "scorer")

    assert found.access == (Access("lake", "mlflow", "read"), Access("lake", "captures/scorer", "write"))
    assert [(ref.path, ref.key) for ref in found.secrets] == [("lake", ""), ("scorer", "token")]


def test_a_gate_reads_the_data_that_it_evaluates_on() -> None:
    spec = changed("{metric: auc_pr, min: 0.82}", "{metric: auc_pr, min: 0.82, data: chargebacks}")

    assert Access("lake", "chargebacks/", "read") in identity(plan_of(spec), "retrain").access


def test_a_fixed_size_needs_no_autoscaler() -> None:
    spec = changed("workers: {min: 1, max: 2}", "workers: 2", ("replicas: {min: 2, max: 6}", "replicas: 2"))

    assert identity(plan_of(spec), "retrain").api == ""
    assert identity(plan_of(spec), "scorer").api == ""


def test_an_endpoint_with_one_variant_is_one_server_of_its_own_name() -> None:
    spec = changed(
        "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n", ""
    )
    found = plan_of(spec)

    route = resource(found, Kind.ROUTE, "scorer").value
    assert isinstance(route, Route)
    assert [(one.server, one.percent) for one in route.backends] == [("scorer", 100)]
    assert links(found, "main:route/scorer", "requests") == ["main:model-server/scorer"]


def test_members_of_a_pool_share_a_server_and_its_identity() -> None:
    found = plan_of(large_spec(9))

    server = resource(found, Kind.MODEL_SERVER, "pool-shared0")
    assert isinstance(server.value, ModelServer)
    assert [one.route_prefix for one in server.value.applications] == ["/e0", "/e4", "/e8"]
    assert server.workload == "pool.shared0"
    assert identity(found, "pool-shared0").workload == "pool.shared0"
    assert links(found, "far:route/e4", "requests") == ["far:model-server/pool-shared0"]


def test_a_monitor_reads_what_it_watches_and_may_start_its_pipeline() -> None:
    found = plan_of(VALID_SPEC)

    assert identity(found, "monitor-drift").api == "trigger"
    assert identity(found, "monitor-quality").api == ""
    assert Access("lake", "chargebacks/", "read") in identity(found, "monitor-quality").access
    assert links(found, "main:monitor/monitor-drift", "trigger") == ["main:training-job/retrain"]
    assert links(found, "main:monitor/monitor-drift", "metrics") == ["main:cluster/main"]


PERFORMANCE = changed(
    "type: data-drift", "type: performance", ("checks: {psi: {max: 0.2}", "checks: {p99_ms: {max: 90}")
)


def test_a_performance_monitor_is_rules_and_no_job() -> None:
    spec = PERFORMANCE.replace("    reference: {data: transactions, window: 30d}\n", "", 1)
    spec = spec.replace("run: pipelines.retrain, cooldown: 3d", "", 1)
    found = plan_of(spec)

    assert resource(found, Kind.ALERT_RULES, "monitor-drift").origin == ("monitors", "drift", "checks")
    assert not [one for one in found.resources if one.place == "main:monitor/monitor-drift"]


def test_a_performance_monitor_refuses_what_only_a_job_could_honour() -> None:
    _, found = planned(PERFORMANCE)

    assert {one.code for one in found} == {"E0506"}
    assert [one.hint for one in found] == ["remove 'reference'", "remove 'onBreach.run'", "remove 'onBreach.cooldown'"]


def test_addons_are_those_that_something_needs() -> None:
    """A cluster gets no operator that nothing asks for."""
    assert addons(plan_of(VALID_SPEC)) == ("prometheus", "external-secrets", "cloudnative-pg", "kuberay")
    bare = plan_of(large_spec(0) + "pipelines: {p: {type: custom, source: {entrypoint: 'a:b'}, compute: cpu}}\n")
    assert addons(bare, "near") == ("kuberay",)


def test_an_adopted_database_needs_no_operator() -> None:
    spec = changed(
        "runs: {type: database}",
        "runs: {type: database, adopt: db.acme.example/mlflow, credentials: secret://vault/db}",
    )

    assert "cloudnative-pg" not in addons(plan_of(spec))


def test_a_dashboard_needs_something_to_show() -> None:
    """Without an SLO, a monitor or telemetry there is no Prometheus, and so no dashboard."""
    quiet = large_spec(0) + (
        "models: {m: {task: regression, framework: xgboost}}\n"
        "inference: {e: {variants: {a: {model: m@champion}}, compute: cpu}}\n"
    )

    assert not [one for one in plan_of(quiet).resources if one.kind is Kind.DASHBOARD]
    assert [one.name for one in plan_of(VALID_SPEC).resources if one.kind is Kind.DASHBOARD] == ["scorer"]


def test_a_channel_exists_where_its_alerts_are() -> None:
    """The owner's channel is wanted where the SLO is watched, a monitor's where the monitor runs."""
    found = plan_of(ON_TWO)

    assert [one.place for one in found.resources if one.kind is Kind.CHANNEL] == [
        "branch:channel/oncall",
        "main:channel/oncall",
    ]


def test_what_crosses_between_targets_is_a_link() -> None:
    found = plan_of(ON_TWO)

    assert links(found, "branch:model-server/scorer-champion", "registry") == []
    assert links(found, "branch:model-server/scorer-champion", "artifacts") == ["main:object-store/lake"]
    assert links(found, "branch:model-server/scorer-champion", "capture") == ["main:object-store/lake"]
    assert [one.placement for one in found.resources if one.name == "vault-lake"] == ["main", "branch"]


def test_a_secret_names_its_readers_and_the_line_that_named_it() -> None:
    found = resource(plan_of(VALID_SPEC), Kind.SECRET, "vault-scorer-token")

    assert found.origin == ("inference", "scorer", "endpoint", "auth", "token")
    assert isinstance(found.value, Secret)
    assert found.value.workloads == ("inference.scorer",)


def test_no_registry_where_models_are_used() -> None:
    spec = changed("registry: {database: runs, artifacts: lake}\n", "")

    assert told(spec) == ["E0503 fraud-xgb@champion"]


def test_no_registry_where_none_is_needed() -> None:
    bare = plan_of(large_spec(0) + "pipelines: {p: {type: custom, source: {entrypoint: 'a:b'}, compute: cpu}}\n")

    assert not [one for one in bare.resources if one.kind is Kind.REGISTRY]


CPU_TOO_LARGE = changed("cpu: {cpu: 2, memory: 8Gi}", "cpu: {cpu: 2, memory: 512Gi}")


def test_what_fits_nowhere_is_told_once_at_the_class() -> None:
    result, found = planned(CPU_TOO_LARGE)

    assert result is None
    assert told(CPU_TOO_LARGE) == ["E0504 cpu"]
    assert "the nearest is capacity[1] with 128Gi of the 512Gi of memory" in found[0].message


def test_a_target_that_carries_nothing_is_told() -> None:
    spec = changed(
        "  placement: {default: main}",
        "    spare: {provider: kubernetes, context: b, residency: eu}\n  placement: {default: main}",
    )
    result, _ = planned(spec)

    assert told(spec) == ["W0501 spare"]
    assert result is not None
    assert result.placements() == ("main",)


def test_a_rename_keeps_the_names_of_objects() -> None:
    """What has moved is found at its new address and still called as before."""
    text = VALID_SPEC.replace("inference.scorer", "inference.card-scorer").replace(
        "\n  scorer:\n", "\n  card-scorer:\n"
    )
    spec = text + "moved: {inference.card-scorer: inference.scorer}\n"
    found = resource(plan_of(spec), Kind.MODEL_SERVER, "scorer-champion")

    assert found.workload == "inference.card-scorer"


def test_two_things_cannot_both_keep_a_name() -> None:
    text = (
        VALID_SPEC.replace("  report:\n", "  reporting:\n")
        + "moved: {pipelines.reporting: pipelines.a, pipelines.nightly: pipelines.a}\n"
    )

    assert "E0507 pipelines.a" in told(text)


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("\n  report:\n", "\n  monitor-drift:\n", "monitor-drift"),
        ("\n  report:\n", "\n  scorer-champion:\n", "scorer-champion"),
        ("\n  report:\n", "\n  retrain-launcher:\n", "retrain-launcher"),
        ("\n  report:\n", "\n  registry:\n", "registry"),
        ("\n  report:\n", "\n  runs:\n", "runs"),
    ],
)
def test_two_things_of_one_name_are_refused(old: str, new: str, name: str) -> None:
    """A name that two objects would share is told with both places."""
    result, found = planned(changed(old, new))

    assert result is None
    assert {one.code for one in found} == {"E0501"}
    assert all(f"'{name}'" in one.message and "system.yaml:" in one.message for one in found)


def test_a_collision_is_told_once() -> None:
    """Not for every object of the two."""
    assert len(planned(changed("\n  report:\n", "\n  monitor-drift:\n"))[1]) == 1


def test_names_of_the_platform_are_taken() -> None:
    assert "E0502 default" in told(changed("\n  report:\n", "\n  default:\n"))
    assert told(changed("context: frankfurt", "context: frankfurt\n      namespace: kube-system")) == [
        "E0502 kube-system"
    ]


def test_machines_that_are_made_are_planned_before_what_runs_on_them() -> None:
    """A pool for each class that a workload uses, with the class's line; none where machines are there already."""
    result = made(VALID_SPEC)
    pools = [one for one in result.resources if one.kind is Kind.NODE_POOL]

    assert [(one.name, one.origin, one.workload) for one in pools] == [
        ("cpu", ("compute", "cpu"), ""),
        ("train", ("compute", "train"), ""),
        ("monitors-default", ("monitors",), ""),
    ]
    assert all(isinstance(one.value, NodePool) and one.value.groups for one in pools)
    assert result.resources.index(pools[-1]) < min(
        at for at, one in enumerate(result.resources) if one.workload or one.kind is Kind.SECRET
    )
    assert [one for one in plan_of(VALID_SPEC).resources if one.kind is Kind.NODE_POOL] == []
    assert_whole(result)


def test_a_class_that_nothing_uses_has_no_machines() -> None:
    text = changed("compute:\n  cpu:", "compute:\n  idle: {cpu: 1, memory: 4Gi}\n  cpu:")

    assert [one.name for one in made(text).resources if one.kind is Kind.NODE_POOL][:1] == ["cpu"]


def test_an_elastic_class_has_a_pool_without_groups() -> None:
    found = resource(made(changed("cpu: {cpu: 2,", "cpu: {elastic: true, cpu: 2,")), Kind.NODE_POOL, "cpu").value

    assert isinstance(found, NodePool)
    assert (found.elastic, found.groups, found.compute) == (True, (), "cpu")


def test_the_pool_of_the_platform_is_not_a_class() -> None:
    text = VALID_SPEC.replace("  cpu: {cpu: 2", "  system: {cpu: 2").replace("compute: cpu", "compute: system")
    _, found = plan(system_of(text), {"main": CLOUD})

    assert [(one.code, one.span.line if one.span else 0) for one in found] == [
        ("E0502", text.splitlines().index("  system: {cpu: 2, memory: 8Gi}") + 1)
    ]


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
def test_add_ons_are_what_the_target_says_of_kinds(old: str, new: str, expected: tuple[str, ...]) -> None:
    """Nothing of them is known to the planner but their order; what is adopted or declared asks for none."""
    needs = {Kind.DATABASE: ("external-secrets",), Kind.ROUTE: ("envoy-gateway",), Kind.TRAINING_JOB: ("kuberay",)}
    found, diagnostics = plan(system_of(changed(old, new)), {"main": Offer(ON_PREM.choose, needs)})

    assert found is not None, diagnostics
    assert addons(found) == expected


def test_two_targets_cannot_be_one_namespace() -> None:
    spec = ON_TWO.replace("context: branch", "context: frankfurt")

    assert told(spec) == ["E0505 main"]


def assert_whole(plan: Plan) -> None:
    """Addresses are unique, links lead somewhere, and whatever is reached is made before: so there is no cycle."""
    order = {one.place: at for at, one in enumerate(plan.resources)}
    assert len(order) == len(plan.resources)
    for link in plan.links:
        assert order[link.sink] < order[link.source], link
    assert len(set(plan.links)) == len(plan.links)


def test_the_valid_plan_is_whole() -> None:
    assert_whole(plan_of(VALID_SPEC))
    assert_whole(plan_of(ON_TWO))


@settings(max_examples=25, deadline=None)
@given(models=st.integers(0, 60), moves=st.randoms(use_true_random=False))
def test_every_plan_is_whole(models: int, moves: Random) -> None:
    """No cycle, no dangling link, no address twice, whatever is placed where."""
    system = scattered(system_of(large_spec(models)), moves)
    found, diagnostics = plan(system, {"near": ON_PREM, "far": ON_PREM})

    assert found is not None, diagnostics
    assert_whole(found)


def scattered(system: System, moves: Random) -> System:
    """The same system with its workloads on any target."""

    def place() -> str:
        return moves.choice(("near", "far"))

    return replace(
        system,
        pipelines={name: replace(one, target=place()) for name, one in system.pipelines.items()},
        inference={name: replace(one, target=place()) for name, one in system.inference.items()},
        monitors={name: replace(one, target=place()) for name, one in system.monitors.items()},
    )


def test_planning_takes_time_in_proportion() -> None:
    """Ten times the models are planned in about ten times as long: the ratio of the two, in one run."""
    times = {models: _time(system_of(large_spec(models))) for models in (300, 3000)}

    assert times[3000] < 25 * times[300]


def _time(system: System) -> float:
    offers = {"near": ON_PREM, "far": ON_PREM}
    best = float("inf")
    gc.disable()
    for _ in range(3):
        start = time.perf_counter()
        found, _ = plan(system, offers)
        best = min(best, time.perf_counter() - start)
        assert found is not None
    gc.enable()
    return best


def test_a_link_has_the_port_of_the_address_that_it_leads_to() -> None:
    """What is there already is reached as its URL says; the dearest mistake of a firewall rule is a wrong port."""
    text = (
        (FOLDER / "hello" / "system.yaml")
        .read_text()
        .replace("http://mlflow.mlflow.svc:5000", "https://mlflow.acme.example")
    )
    ends = {link.sink: (link.protocol, link.port) for link in plan_of(text).links}

    assert ends["main:registry/registry"] == ("https", 443)
    assert ends["main:object-store/lake"] == ("http", 9000)
