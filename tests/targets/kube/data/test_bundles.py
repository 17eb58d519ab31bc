"""Tests that targets without registry access load models from bundles written during promotion."""

from __future__ import annotations

import json
from typing import Any

import modelyard_schemas
from modelyard.plan import Identity, Kind
from modelyard.validate import python_fits
from modelyard_targets.kube.monitoring.scraping import lower_scraping
from tests.crds import problems
from tests.hybrid import described, hybrid, hybrid_lowered
from tests.lowering import Lowered


def promoted(main: Lowered) -> dict[str, Any]:
    """Return the training pipeline's model from the promoter's description."""
    model: dict[str, Any] = described(main, "promoter")["promotions"]["retrain"]["model"]
    return model


def test_training_delivers_nothing() -> None:
    """Training runs neither move aliases nor have write access to bundles."""
    main = hybrid_lowered(placement="main")
    pipeline = described(main, "retrain")["pipeline"]
    identities = {
        entry.name: entry.value for entry in main.context.plan.on("main") if isinstance(entry.value, Identity)
    }

    assert pipeline["promotedBy"] == "promoter"
    assert not {"delivery", "otherDeliveries"} & pipeline["model"].keys()
    assert not [entry for entry in identities["retrain"].access if "/bundles/" in entry.prefix]
    assert [entry.prefix for entry in identities["promoter"].access if entry.mode == "write"] == ["mlflow/bundles/"]


def test_workloads_read_the_bundle_that_promotion_writes() -> None:
    """The server, batch job and monitor read the bundle without connecting to the registry."""
    shop, main = hybrid_lowered(), hybrid_lowered(placement="main")
    delivery = promoted(main)["delivery"]

    assert delivery["uri"].endswith("/mlflow/bundles/till-theft/champion/")
    assert delivery["uri"].startswith("s3://till-")
    read = (
        described(shop, "till")["applications"]["till-live"]["model"],
        described(shop, "nightly")["pipeline"]["model"],
        described(shop, "monitor-drift")["monitor"]["models"][0],
    )
    for model in read:
        assert {"uri": model["bundle"]["uri"], "store": model["bundle"]["store"]} == delivery
        assert "delivery" not in model
    for name in ("till", "nightly", "monitor-drift"):
        assert "registry" not in described(shop, name)
    assert "registry" in described(main, "retrain")


def test_alias_moved_by_hand_is_delivered() -> None:
    """If an alias used by another target is moved manually, the promoter delivers the alias's version, too."""
    text = hybrid(("inputs: [sales], compute: {cpu: 4", "promoteTo: candidate, inputs: [sales], compute: {cpu: 4"))
    model = promoted(hybrid_lowered(text, "main"))
    read = described(hybrid_lowered(text), "till")["applications"]["till-live"]["model"]["bundle"]

    assert "delivery" not in model
    assert model["otherDeliveries"] == {"champion": {"uri": read["uri"], "store": read["store"]}}
    assert "otherDeliveries" not in promoted(hybrid_lowered(placement="main"))


def test_alias_without_remote_readers_is_not_delivered() -> None:
    """No bundle is delivered for an alias if all its servers can reach the registry."""
    text = hybrid(("inference: shop, batch: shop, monitors: shop", "inference: main, batch: main, monitors: main"))

    model = promoted(hybrid_lowered(text, "main"))
    assert "delivery" not in model
    assert "otherDeliveries" not in model


def test_server_next_to_the_registry_uses_it() -> None:
    text = hybrid(("inference: shop, batch: shop", "inference: main, batch: main"))
    manifests = hybrid_lowered(text, "main")

    assert "bundle" not in described(manifests, "till")["applications"]["till-live"]["model"]
    assert "registry" in described(manifests, "till")


def test_monitor_that_rolls_back_delivers_the_alias() -> None:
    """A monitor on the registry's target that rolls back a remote endpoint's alias also delivers the bundle."""
    text = hybrid(
        ("monitors: shop", "monitors: main"),
        ("checks: {psi: {max: 0.2}}", "checks: {psi: {max: 0.2}}, onBreach: {rollback: true}"),
    )
    main = hybrid_lowered(text, "main")

    model = described(main, "monitor-drift")["monitor"]["models"][0]
    assert model["delivery"] == promoted(main)["delivery"]
    identity = main.context.identity("monitors.drift")
    assert identity is not None
    assert isinstance(identity.value, Identity)
    prefixes = [access.prefix for access in identity.value.access if access.mode == "write"]
    assert prefixes == ["mlflow/bundles/till-theft/champion/"]


def test_descriptions_and_objects_are_valid() -> None:
    """All descriptions match their schema, and all objects are valid for their APIs."""
    schema = json.loads(modelyard_schemas.text("workload"))
    for placement in ("shop", "main"):
        manifests = list(hybrid_lowered(placement=placement))
        texts = [
            manifest["data"]["workload.json"] for manifest in manifests if "workload.json" in manifest.get("data", {})
        ]

        assert texts
        for text in texts:
            assert python_fits(schema)(schema, json.loads(text))
        assert [
            (manifest["kind"], manifest["metadata"]["name"], problems(manifest))
            for manifest in manifests
            if problems(manifest)
        ] == []


def test_ray_prefix_is_removed_from_metrics() -> None:
    """Prometheus strips Ray's prefix from our metric names when scraping Ray workers."""
    shop = hybrid_lowered().context
    (place,) = [item for item in shop.plan.on("shop") if item.kind is Kind.NAMESPACE]
    monitors = [json.loads(json.dumps(item.manifest)) for item in lower_scraping(place, shop)]
    heads, workers = (item["spec"]["podMetricsEndpoints"] for item in monitors)

    assert all("metricRelabelings" not in item for item in heads)
    assert [item["metricRelabelings"][0]["regex"] for item in workers] == ["ray_(modelyard_.+)"]
    assert [problems(item) for item in monitors] == [[], []]
