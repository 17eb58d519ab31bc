"""Tests the predicted effects of `pulumi up`: by provider tables, through references, and for whole systems."""

from __future__ import annotations

import json

import pytest

from modelyard.effects import Effects, Fate, Part
from modelyard.inputs import InputFile, Inputs
from modelyard.pipeline import understand
from modelyard.plan import log_days
from modelyard.review.comparing import Review, compared
from modelyard.review.effects import Effect, consequences, differing
from modelyard.review.lowered import Item, Items, Key, lowered
from modelyard.review.on_targets import moving
from modelyard.review.touched import touched
from modelyard.source import Json
from modelyard_targets import TARGETS
from tests.examples import SYSTEMS
from tests.narrowing import present
from tests.reviewing import outcome_of, review_of, reviewed
from tests.test_reviews import BASES

LEADS = (SYSTEMS / "leads" / "system.yaml").read_text(encoding="utf-8")
SHOP = BASES["shop"].read_text(encoding="utf-8")
TABLE = Effects(
    {
        "net": Part("network", "networks", "net", protected=True, arguments={"cidr": "cidr"}),
        "pool": Part(
            "pool", "pools", "pool", pool="of", arguments={"net": "subnet", "machine": "machine"}, rolls=("disk",)
        ),
        "disk": Part("disk", "disks", "disk", arguments={"net": "zone"}, grows={"gib": "it cannot shrink"}),
        "fleet": Part("fleet", "fleets", "fleet", arguments={"net": "subnet", "type": "type"}, successor=True),
        "grant": Part("grant", "grants", "grant", arguments={"pool.net.cidr": "member"}),
        "a/v1/Server": Part("server", "servers", "a/v1/Server", rolls=("spec.pods",), quiet=("replicas",)),
    },
    {
        "net": frozenset({"cidr"}),
        "pool": frozenset({"subnet", "machine"}),
        "fleet": frozenset({"subnet", "type"}),
        "grant": frozenset({"member"}),
        "a/v1/Server": frozenset({"spec.name"}),
    },
)
NET: Key = ("infra", "net", "n")


def item(kind: str, name: str, **values: object) -> tuple[Key, Item]:
    """Return a planned item and its key. An item with an argument `net` refers to the network."""
    needs = {"net": (NET,)} if "net" in values else {}
    return ("infra", kind, name), Item(kind, name, values, needs=needs)


def effects(before: Items, after: Items) -> dict[str, str]:
    """Return the effect on each affected item, by its name."""
    return {consequence.item.name: consequence.effect.value for consequence in consequences(before, after, TABLE)}


@pytest.mark.parametrize(
    ("kind", "before", "after", "effect"),
    [
        ("net", {"cidr": "a"}, {"cidr": "b"}, "refused"),
        ("net", {"tags": 1}, {"tags": 2}, "in place"),
        ("pool", {"disk": 1}, {"disk": 2}, "rolling"),
        ("pool", {"machine": "a"}, {"machine": "b"}, "replaced"),
        ("pool", {"machine": ["a", "b"]}, {"machine": ["a", "c"]}, "replaced"),
        ("pool", {"machine": {"x": {"y": 1}}}, {"machine": {"x": {"y": 2}}}, "replaced"),
        ("fleet", {"type": "a"}, {"type": "b"}, "rolling"),
        ("disk", {"gib": 20}, {"gib": 40}, "in place"),
        ("disk", {"gib": 40}, {"gib": 20}, "refused"),
        ("a/v1/Server", {"spec": {"pods": {"image": 1}}}, {"spec": {"pods": {"image": 2}}}, "rolling"),
        ("a/v1/Server", {"spec": {"pods": {"replicas": 1}}}, {"spec": {"pods": {"replicas": 2}}}, "in place"),
        ("a/v1/Server", {"spec": {"name": "a"}}, {"spec": {"name": "b"}}, "replaced"),
        ("unknown", {"a": 1}, {"a": 2}, "in place"),
    ],
)
def test_the_table_decides(kind: str, before: dict[str, object], after: dict[str, object], effect: str) -> None:
    old, new = (dict([item(kind, "one", **values)]) for values in (before, after))

    assert effects(old, new) == {"one": effect}
    assert effects(old, old) == {}


@pytest.mark.parametrize(("argument", "effect"), [("cidr", "replaced"), ("region", "")])
def test_an_argument_of_what_a_reference_refers_to_may_decide(argument: str, effect: str) -> None:
    """A grant depends on an argument of its node pool's network, but not on whether the node pool is recreated."""
    grant = Item("grant", "g", {}, needs={"pool": (("infra", "pool", "p"),)})
    old, new = (
        dict([item("net", "n", **{argument: value}), item("pool", "p", net=1)]) | {("infra", "grant", "g"): grant}
        for value in ("a", "b")
    )

    assert effects(old, new).get("g", "") == effect


def test_what_refers_to_a_replaced_resource_is_replaced() -> None:
    """A resource is only replaced if its property with the reference can't change in place.

    The successor of a replaced resource isn't created first, as it would be cut off.
    """
    dependents = [item("pool", "p", net=0, of="x"), item("fleet", "f", net=0), item("disk", "d", net=0)]
    old = dict([item("net", "n", cidr="a"), *dependents])
    new = dict([item("net", "n", cidr="b"), *dependents])

    assert effects(old, new) == {"n": "refused", "p": "replaced", "f": "replaced", "d": "in place"}


def test_machines_of_a_pool_take_turns() -> None:
    old, new = dict([item("pool", "a", of="x")]), dict([item("pool", "b", of="x")])

    assert effects(old, new) == {"a": "rolling", "b": "rolling"}
    assert effects(old, {**old, **new}) == {"b": "created"}
    assert effects({**old, **new}, new) == {"a": "destroyed"}


def test_a_project_that_is_gone_is_left_behind() -> None:
    (key, value) = item("pool", "a", of="x")

    assert [consequence.effect for consequence in consequences({("other", *key[1:]): value}, {key: value}, TABLE)] == [
        Effect.LEFT,
        Effect.CREATED,
    ]


def test_resources_move_between_projects_if_one_of_them_remains() -> None:
    (key, value) = item("pool", "a", of="x")
    rest = dict([item("net", "n")])
    given: Items = {("infra-2", *key[1:]): value}

    assert moving({**rest, **given}, {**rest, key: value}) == {key[1:]}
    assert moving({**rest, key: value}, {**rest, **given}) == {key[1:]}
    assert moving({key: value}, given) == frozenset()  # the stacks of a renamed system
    assert moving({**rest, key: value}, rest) == frozenset()


def _many(capacity: str) -> dict[str, Json]:
    """Return a system with so many pipelines that its machines and identities hardly fit into one project."""
    names = [f"area-{at}" for at in range(70)]
    machines: Json = {"cpu": 2, "memory": "8Gi", "capacity": capacity}
    fit: dict[str, Json] = {"type": "training", "split": {"by": "time"}, "compute": machines}
    table: dict[str, Json] = {"store": "lake", "format": "csv", "label": "mw", "timestamp": "hour"}
    return {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "MLSystem",
        "metadata": {"name": "grid"},
        "governance": {"owner": {"team": "grid", "email": "grid@power.example"}},
        "deployment": {"mode": "cloud", "provider": "gcp", "region": "europe-west3", "account": "grid-prod"},
        "stores": {"lake": {"type": "object"}, "runs": {"type": "database"}},
        "registry": {"database": "runs", "artifacts": "lake"},
        "data": {name: {**table, "path": name} for name in names},
        "models": {name: {"task": "forecasting", "framework": "lightgbm"} for name in names},
        "pipelines": {name: {**fit, "model": name, "inputs": [name]} for name in names},
    }


def test_identities_that_move_between_projects_are_a_danger() -> None:
    """With fewer node pools, all identities fit into the first project, whose grants equal those of the second."""
    many, few = _many("spot-first"), _many("spot")

    for before, after, ends in (
        (many, few, "from grid-main-infrastructure-2 to grid-main-infrastructure"),
        (few, many, "from grid-main-infrastructure to grid-main-infrastructure-2"),
    ):
        review = reviewed(before, after)
        (finding,) = (finding for finding in review.findings if finding.code == "R502")
        assert finding.level.word == "danger"
        assert finding.message.endswith(ends)
        assert not any("identities" in message for message in messages(review, "R520", "R521", "R522"))


def test_paths_end_where_values_differ() -> None:
    was = {"spec": {"ports": [{"a": 1}, {"a": 2}], "same": {"deep": 1}}, "list": [1]}
    now = {"spec": {"ports": [{"a": 1}, {"a": 3}], "same": {"deep": 1}}, "list": [1, 2]}

    assert list(differing(was, now)) == ["spec.ports[*].a", "list"]


def test_fates_are_ordered_by_harm() -> None:
    assert max(Fate, key=lambda fate: fate.rank) is Fate.REPLACED


def messages(review: Review, *codes: str) -> list[str]:
    """Return the messages of findings with the given codes."""
    return [finding.message for finding in review.findings if finding.code in codes]


def test_a_rename_with_moved_destroys_nothing() -> None:
    moved = SHOP.replace("  nightly:\n", "  scoring:\n") + "moved: {pipelines.scoring: pipelines.nightly}\n"
    review = reviewed(SHOP, moved)

    assert not review.unjudged
    assert messages(review, "R502", "R519", "R520", "R521", "R522") == []


def test_a_region_names_the_data_that_stays() -> None:
    review = reviewed(LEADS, LEADS.replace("eu-central-1", "eu-west-1"))

    assert messages(review, "R521") == [
        "main: the data in buckets audit and lake and database runs stays in eu-central-1"
    ]
    (refused,) = messages(review, "R519")
    assert "database runs" in refused
    assert "the network" in refused


def test_equal_effects_of_environments_are_one_finding() -> None:
    """Equal effects in several environments become one finding, even if an overlay has its own lines on the target."""
    before = outcome_of(LEADS)
    environments = "environments: {prod: {deployment: {version: '1.36'}}, dev: {}}\n"
    specs = [f"{text}{environments}" for text in (LEADS, LEADS.replace("capacity: spot-first", "capacity: spot"))]
    old, new = (
        {
            name: understand(Inputs(InputFile("system.yaml", text), environment=name), TARGETS)
            for name in ("prod", "dev")
        }
        for text in specs
    )
    review = compared(old, new, TARGETS)
    merged = [finding for finding in review.findings if finding.code in {"R518", "R520"}]

    assert not before.failed
    assert merged
    assert {finding.environments for finding in merged} == {("prod", "dev")}


def test_the_objects_of_untouched_workloads_are_not_compared() -> None:
    """An object is only left out of the comparison if it's the same in both versions."""
    spec = json.loads(json.dumps(present(outcome_of(SHOP).document).value, default=str))
    spec["inference"]["other"] = {"variants": {"live": {"model": "lone@champion"}}, "compute": "small"}
    spec["models"]["lone"] = {"task": "regression", "framework": "xgboost"}
    old = outcome_of(spec)
    spec["inference"]["score"]["replicas"] = {"min": 3, "max": 6}
    plans = [present(item.plan) for item in (old, outcome_of(spec))]
    scope = present(touched(plans[0], plans[1]))
    complete, narrow = ([lowered(plan, "main", TARGETS, limit) for plan in plans] for limit in (None, scope))
    tables = TARGETS["kubernetes"].effects()

    assert "inference.other" not in scope
    assert len(narrow[0]) < len(complete[0])
    scoped_effects, all_effects = (
        {(item.key, item.effect) for item in consequences(pair[0], pair[1], tables)} for pair in (narrow, complete)
    )
    assert scoped_effects == all_effects


def test_costs_are_compared_by_share_and_budget() -> None:
    """An expected cost above a blocking budget is a danger, as is a floor that grows by a quarter."""
    larger = LEADS.replace("    compute: small\n", "    compute: small\n    replicas: {min: 3, max: 6}\n")
    up, down = (
        next(finding for finding in review_of(*pair).findings if finding.code == "R620")
        for pair in ((outcome_of(LEADS), outcome_of(larger)), (outcome_of(larger), outcome_of(LEADS)))
    )

    assert (up.level.word, up.reasons) == ("danger", ("more than 25 % higher if nothing is used",))
    assert (down.level.word, down.reasons) == ("note", ())
    assert up.message.startswith("the monthly cost is ")


def _of_change(system: str, old: str, new: str) -> dict[str, str]:
    """Return how a change affects a system with its own infrastructure, by resource type and name."""
    text = (SYSTEMS / system / "system.yaml").read_text(encoding="utf-8")
    assert old in text
    before, after = (present(outcome_of(spec).plan) for spec in (text, text.replace(old, new)))
    tables = TARGETS[before.system.target("main").provider].effects()
    affected = consequences(lowered(before, "main", TARGETS), lowered(after, "main", TARGETS), tables)
    return {f"{consequence.item.kind} {consequence.item.name}": consequence.effect.value for consequence in affected}


def test_grants_on_google_cloud_do_not_go_with_their_cluster() -> None:
    """A grant's member names the project and ServiceAccount, so replacing the cluster doesn't affect the grant."""
    network = _of_change("leads-on-google", "10.20.0.0/16", "10.30.0.0/16")
    namespace = _of_change("leads-on-google", "  mode: cloud\n", "  mode: cloud\n  namespace: sales\n")

    assert network["gcp.Cluster leads-main"] == "refused"
    assert network.get("gcp.Identity fit") != "replaced"
    assert namespace["gcp.Identity fit"] == "replaced"


def test_the_range_of_a_network_on_azure_replaces_only_its_cluster() -> None:
    """The network's range changes in place, but the ranges of Pods and Services can't change."""
    effects_by_name = _of_change("leads-on-azure", "10.20.0.0/16", "10.30.0.0/16")

    assert effects_by_name["azure.Network leads-main"] == "in place"
    assert effects_by_name["azure.Cluster leads-main"] == "refused"
    assert effects_by_name["azure.NodePool system"] == "replaced"


def test_a_node_pool_on_azure_is_recreated_for_another_disk() -> None:
    """AKS can't change a node's disk, so the component replaces the pool, and its Pods wait."""
    effects_by_name = _of_change("leads-on-azure", "disk: 30Gi", "disk: 200Gi")

    assert effects_by_name["azure.NodePool free-d4as-v6-on-demand"] == "replaced"


TENANT = (SYSTEMS / "tenant" / "system.yaml").read_text(encoding="utf-8")
SHARED = TENANT.replace(
    "[kuberay, prometheus]",
    "[kuberay, prometheus, external-secrets]\n  tenancy: shared\n  priorityClasses: {low: batch}",
)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            TENANT,
            "add-on external-secrets, add-on namespace external-secrets, namespace tenant, Ray cluster score and"
            " route score",
        ),
        (
            SHARED,
            "Ray cluster score, route score and objects of channels.growth-oncall, pipelines.fit, pipelines.scoring and"
            " stores.runs",
        ),
    ],
    ids=["own namespace", "shared"],
)
def test_nothing_stays_on_a_cluster_that_is_no_longer_adopted(text: str, names: str) -> None:
    """All objects move with the connection, and the cluster's network is not a finding of its own."""
    review = reviewed(text, text.replace("adopt: platform,", "adopt: edge,"))
    fields = [finding.path[3:] for finding in review.findings if finding.code == "R508"]

    assert fields == [("cluster", "adopt")]
    assert messages(review, "R502") == [f"main: `pulumi up` would replace {names}"]
    assert [finding.level.word for finding in review.findings if finding.code == "R502"] == ["danger"]


def test_the_range_of_an_adopted_cluster_is_a_field_of_the_cluster() -> None:
    review = reviewed(TENANT, TENANT.replace("10.20.0.0/16", "10.21.0.0/16"))
    paths = [finding.path for finding in review.findings]

    assert ("deployment", "targets", "main", "cluster", "cidr") in paths
    assert not any("vpc" in path for path in paths)


def test_what_happens_to_the_registrys_bucket_affects_models_and_their_endpoints() -> None:
    review = reviewed(TENANT, TENANT.replace("lake: {type: object}", "lake: {type: object, retention: 30d}"))
    reached = next(finding.reached for finding in review.findings if finding.code == "R310")

    assert {"models.churn", "inference.score", "callers of score.acme.example"} <= set(reached)


def test_run_logs_are_kept_no_longer_than_other_objects_in_their_bucket() -> None:
    specs = [
        TENANT,
        *(TENANT.replace("lake: {type: object}", f"lake: {{type: object, retention: {age}}}") for age in ("30d", "1y")),
    ]
    systems = [present(outcome_of(spec).plan).system for spec in specs]

    assert [log_days(system.stores["lake"]) for system in systems] == [90, 30, 90]
