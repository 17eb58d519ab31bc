"""Tests that targets that cannot reach the registry load models from bundles that promotion writes."""

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
    """Return the trained model in the description of the promoter."""
    found: dict[str, Any] = described(main, "promoter")["promotions"]["retrain"]["model"]
    return found


def test_training_delivers_nothing() -> None:
    """Training runs do not move aliases and have no write access to bundles."""
    main = hybrid_lowered(placement="main")
    pipeline = described(main, "retrain")["pipeline"]
    identities = {one.name: one.value for one in main.context.plan.on("main") if isinstance(one.value, Identity)}

    assert pipeline["promotedBy"] == "promoter"
    assert not {"delivery", "otherDeliveries"} & pipeline["model"].keys()
    assert not [one for one in identities["retrain"].access if "/bundles/" in one.prefix]
    assert [one.prefix for one in identities["promoter"].access if one.mode == "write"] == ["mlflow/bundles/"]


def test_workloads_read_the_bundle_that_promotion_writes() -> None:
    """The server, the batch job and the monitor read the bundle and do not use the registry."""
    shop, main = hybrid_lowered(), hybrid_lowered(placement="main")
    written = promoted(main)["delivery"]

    assert written["uri"].endswith("/mlflow/bundles/till-theft/champion/")
    assert written["uri"].startswith("s3://till-")
    read = (
        described(shop, "till")["applications"]["till-live"]["model"],
        described(shop, "nightly")["pipeline"]["model"],
        described(shop, "monitor-drift")["monitor"]["models"][0],
    )
    for model in read:
        assert {"uri": model["bundle"]["uri"], "store": model["bundle"]["store"]} == written
        assert "delivery" not in model
    for name in ("till", "nightly", "monitor-drift"):
        assert "registry" not in described(shop, name)
    assert "registry" in described(main, "retrain")


def test_alias_moved_by_hand_is_delivered() -> None:
    """The promoter also delivers the version of an alias that is used on another target and was moved manually."""
    text = hybrid(("inputs: [sales], compute: {cpu: 4", "promoteTo: candidate, inputs: [sales], compute: {cpu: 4"))
    model = promoted(hybrid_lowered(text, "main"))
    read = described(hybrid_lowered(text), "till")["applications"]["till-live"]["model"]["bundle"]

    assert "delivery" not in model
    assert model["otherDeliveries"] == {"champion": {"uri": read["uri"], "store": read["store"]}}
    assert "otherDeliveries" not in promoted(hybrid_lowered(placement="main"))


def test_alias_without_remote_readers_is_not_delivered() -> None:
    """If all servers can reach the registry, no bundle is delivered."""
    beside = hybrid(("inference: shop, batch: shop, monitors: shop", "inference: main, batch: main, monitors: main"))

    model = promoted(hybrid_lowered(beside, "main"))
    assert "delivery" not in model
    assert "otherDeliveries" not in model


def test_server_next_to_the_registry_uses_it() -> None:
    beside = hybrid(("inference: shop, batch: shop", "inference: main, batch: main"))
    made = hybrid_lowered(beside, "main")

    assert "bundle" not in described(made, "till")["applications"]["till-live"]["model"]
    assert "registry" in described(made, "till")


def test_monitor_that_rolls_back_delivers_the_alias() -> None:
    """If a monitor next to the registry rolls back the alias of a remote endpoint, it delivers the bundle."""
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
    written = [access.prefix for access in identity.value.access if access.mode == "write"]
    assert written == ["mlflow/bundles/till-theft/champion/"]


def test_descriptions_and_objects_are_valid() -> None:
    """All descriptions match their schema, and all objects are valid for their APIs."""
    schema = json.loads(modelyard_schemas.text("workload"))
    for placement in ("shop", "main"):
        made = list(hybrid_lowered(placement=placement))
        texts = [one["data"]["workload.json"] for one in made if "workload.json" in one.get("data", {})]

        assert texts
        for text in texts:
            assert python_fits(schema)(schema, json.loads(text))
        assert [(one["kind"], one["metadata"]["name"], problems(one)) for one in made if problems(one)] == []


def test_ray_prefix_is_removed_from_metrics() -> None:
    """When Prometheus scrapes workers, Ray's prefix is removed from our metric names."""
    shop = hybrid_lowered().context
    (place,) = [one for one in shop.plan.on("shop") if one.kind is Kind.NAMESPACE]
    made = [json.loads(json.dumps(one.manifest)) for one in lower_scraping(place, shop)]
    heads, workers = (one["spec"]["podMetricsEndpoints"] for one in made)

    assert all("metricRelabelings" not in one for one in heads)
    assert [one["metricRelabelings"][0]["regex"] for one in workers] == ["ray_(modelyard_.+)"]
    assert [problems(one) for one in made] == [[], []]
