"""Tests that the READMEs of both targets list the connections between them and the deployment order."""

from __future__ import annotations

from modelyard.plan import Plan
from modelyard_targets import TARGETS
from tests.hybrid import HYBRID_SPEC, hybrid, hybrid_plan, without_section

CLUSTERS = (
    ("mode: hybrid", "mode: on-prem"),
    (
        "main: {provider: aws, region: eu-central-1}",
        "main: {provider: kubernetes, context: main, reachableFrom: [shop],"
        " capacity: [{count: 4, cpu: 16, memory: 64Gi}]}",
    ),
    (
        "lake: {type: object, target: main}",
        'lake: {type: object, target: main, endpoint: "https://s3.acme.example:9000", credentials: secret://vault/lake}',
    ),
)


def readme(plan: Plan, placement: str) -> str:
    """Return the README for a target."""
    provider = plan.system.target(placement).provider
    (text,) = [file.text() for file in TARGETS[provider].lower(plan, placement).texts if file.path == "README.md"]
    return text


def section(text: str) -> str:
    """Return the section of a README about cross-target access."""
    return text.partition("## Cross-target access")[2].partition("\n## ")[0]


def test_both_readmes_list_each_connection() -> None:
    plan = hybrid_plan()
    here, there = section(readme(plan, "shop")), section(readme(plan, "main"))
    ends = "`shop:model-server/till` | `main:object-store/lake` | artifacts | https | 443"

    assert f"| out, to main | {ends} | the key in the Secret crossing-till |" in here
    assert f"| in, from shop | {ends} | its own user, shop.till |" in there
    for link in plan.crossings():
        for text in (here, there):
            assert f"`{link.source}` | `{link.sink}` | {link.what} | {link.protocol} | {link.port} |" in text


def test_readmes_explain_the_deployment_order() -> None:
    plan = hybrid_plan()

    here = section(readme(plan, "shop"))
    assert "Apply `infrastructure/` of main before `workloads/` here, and destroy them in reverse order." in here
    assert "pulumi config set infrastructure-main ORGANIZATION/PROJECT/STACK" in here
    assert "Apply the projects on shop after `infrastructure/` here, and destroy them before it." in section(
        readme(plan, "main")
    )


def test_readmes_mention_bundles() -> None:
    plan = hybrid_plan()

    assert "Models come from main as bundles" in section(readme(plan, "shop"))
    assert "Models go to shop as bundles" in section(readme(plan, "main"))


def test_readmes_list_images_to_transfer() -> None:
    """READMEs list images that the on-premises cluster can't pull from the account's registry."""
    text = hybrid(
        (
            "      context: shop\n",
            "      context: shop\n      images: {registry: registry.shop.example, mirror: true}\n",
        ),
        (
            "    replicas: 1\n",
            "    replicas: 1\n    source: {image: 'ghcr.io/acme/till:1', entrypoint: 'till.app:build'}\n",
        ),
    )
    plan = hybrid_plan(text)

    for placement in ("shop", "main"):
        images_section = section(readme(plan, placement))
        assert "| shop | built from shop/image | `registry.shop.example/till-runtime:" in images_section
        assert "| shop | ghcr.io/acme/till:1 | `registry.shop.example/acme/till:1` |" in images_section
        assert "| main |" not in images_section


def test_remote_write_is_listed() -> None:
    text = hybrid(
        (
            "      context: shop\n",
            '      context: shop\n      telemetry: {remoteWrite: "https://metrics.acme.example/push"}\n',
        )
    )

    row = "| out | `shop:cluster/shop` | `metrics.acme.example` | metrics | https | 443 | – |"
    assert row in section(readme(hybrid_plan(text), "shop"))
    assert "metrics.acme.example" not in section(readme(hybrid_plan(text), "main"))


def test_on_premises_clusters_share_a_bucket_with_credentials() -> None:
    """Two on-premises clusters don't read each other's stack outputs, but the bucket's target comes first."""
    plan = hybrid_plan(hybrid(*CLUSTERS))
    text = section(readme(plan, "shop"))

    assert "| https | 9000 | the credentials of the store |" in text
    assert "Apply `workloads/` of main before `workloads/` here" in text
    assert "pulumi config set" not in text


def test_no_section_without_cross_target_access() -> None:
    text = without_section(without_section(without_section(HYBRID_SPEC, "till"), "nightly"), "drift")
    plan = hybrid_plan(text)

    assert section(readme(plan, "main")) == ""


def test_adopted_registry_is_listed_on_each_target() -> None:
    """An adopted registry is on no target, so every target's README lists outgoing connections to its host."""
    adopted = (
        "registry: {database: runs, artifacts: lake}",
        'registry: {adopt: "https://mlflow.acme.example:8443", credentials: "secret://kubernetes/mlflow#token"}',
    )
    plan = hybrid_plan(hybrid(adopted, ("  runs: {type: database, target: main}\n", "")))
    row = "| `mlflow.acme.example` | registry | https | 8443 | the credentials of the registry |"

    here = section(readme(plan, "shop"))
    for workload in ("model-server/till", "batch-job/nightly", "monitor/monitor-drift"):
        assert f"| out | `shop:{workload}` {row}" in here
    assert row in section(readme(plan, "main"))


def test_adopted_buckets_need_no_deployment_order() -> None:
    """Adopted or mutually used buckets need no deployment order, unless the cloud target creates a user."""
    films = (
        "  runs: {type",
        '  films: {type: object, target: shop, adopt: films, endpoint: "https://s3.shop.example",'
        " credentials: secret://vault/films}\n  runs: {type",
    )
    read = ("  sales: {store: lake, path: sales/", "  sales: {store: films, path: sales/")
    let_in = ("      context: shop\n", "      context: shop\n      reachableFrom: [main]\n")
    lake = ("lake: {type: object", "lake: {type: object, adopt: lake")
    created_films = (films[0], films[1].replace(" adopt: films,", ""))
    managed = hybrid_plan(hybrid(*CLUSTERS))
    adopted = hybrid_plan(hybrid(*CLUSTERS, lake, films, read, let_in))
    mutual = hybrid_plan(hybrid(*CLUSTERS, created_films, read, let_in))

    assert "Apply `workloads/` of main before `workloads/` here" in section(readme(managed, "shop"))
    for plan in (adopted, mutual):
        for placement in ("main", "shop"):
            assert "Cross-target access" in readme(plan, placement)
            assert "Apply" not in section(readme(plan, placement))
    cloud = hybrid_plan(hybrid(lake))
    assert "Apply `infrastructure/` of main before `workloads/` here" in section(readme(cloud, "shop"))


def test_objects_written_only_by_the_program_are_listed() -> None:
    text = readme(hybrid_plan(), "shop")

    assert (
        "once the add-ons below exist, together with the objects that only `workloads/__main__.py` creates: the Secret"
        in text
    )
    assert "the Secret crossing-till" in text


def test_key_rotation_is_explained() -> None:
    """The README of the target that uses the access keys explains how to rotate them."""
    steps = section(readme(hybrid_plan(), "shop"))
    two = hybrid(("      context: shop\n", "      context: shop\n      accessKeys: [4, 5]\n"))

    assert "Write `accessKeys: [1, 2]` at the target `shop` in the spec" in steps
    assert "write `accessKeys: [2]` and compile" in steps
    text = section(readme(hybrid_plan(two), "shop"))
    assert "Number 5 replaces 4" in text
    assert "write `accessKeys: [5]` at the target `shop`" in text
    assert "accessKeys" not in readme(hybrid_plan(), "main")


def test_effects_of_an_outage_at_the_edge_are_explained() -> None:
    """The README explains how long metrics are queued without a network, and which workloads have a volume."""
    sink = (
        "      context: shop\n",
        '      context: shop\n      telemetry: {remoteWrite: "https://metrics.acme.example/push"}\n',
    )
    text = readme(hybrid_plan(hybrid(sink)), "shop")

    assert "Metrics for metrics.acme.example are queued for about two hours" in section(text)
    assert "Each of these has a volume for models and pending captures: nightly, till, monitor-drift" in text
    online = readme(hybrid_plan(hybrid(sink, ("      edge: true\n      storageClass: local-path\n", ""))), "shop")
    assert "Metrics for" not in online
    assert "has a volume for models" not in online
