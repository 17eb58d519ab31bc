"""Tests that an imported model is delivered as a bundle to another target that serves it."""

from __future__ import annotations

import pytest

from tests.hybrid import described, hybrid, hybrid_lowered, without_section

IMPORT = f"import: {{store: lake, path: incoming/theft/1, digest: 'sha256:{'4a' * 32}'}}"
TRAINED = "validation: {auc: {metric: auc_pr, min: 0.8}}"
STAGED = f"stages: {{challenger: {{}}, champion: {{after: challenger}}}}, {IMPORT}"


@pytest.mark.parametrize("model", [IMPORT, STAGED], ids=["at once", "in stages"])
def test_promoter_writes_the_bundles_that_remote_servers_read(model: str) -> None:
    spec = without_section(hybrid((TRAINED, model)), "retrain")

    server = described(hybrid_lowered(spec, "shop"), "till")
    promoter = described(hybrid_lowered(spec, "main"), "promoter")

    read = next(iter(server["applications"].values()))["model"]["bundle"]["uri"]
    looks = [look for kind in ("imports", "stages") for look in promoter.get(kind, {}).values()]
    moved = [look["model"]["delivery"]["uri"] for look in looks if look["promoteTo"] == "champion"]
    assert moved == [read]
