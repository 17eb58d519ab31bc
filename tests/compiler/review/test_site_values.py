"""Tests that a review compares a target's sites by name, and their values where the spec uses them."""

from __future__ import annotations

from modelyard.inputs import InputFile, Inputs
from modelyard.pipeline import understand
from modelyard.review.findings import Finding, Level
from modelyard_targets import TARGETS
from tests.examples import SYSTEMS
from tests.narrowing import present
from tests.reviewing import review_of

SHELF = SYSTEMS / "shelf"
TABLE = (SHELF / "shops.csv").read_text(encoding="utf-8")


SPEC = (SHELF / "system.yaml").read_text(encoding="utf-8")


def site_findings(before: str, after: str, old_spec: str = SPEC, new_spec: str = SPEC) -> list[Finding]:
    """Return the findings about sites for a change to the table or the spec."""
    old, new = (
        understand(
            Inputs(InputFile("system.yaml", spec), tables={"shops.csv": InputFile("shops.csv", table)}),
            TARGETS,
        )
        for spec, table in ((old_spec, before), (new_spec, after))
    )
    assert not old.failed
    assert not new.failed
    return [finding for finding in review_of(old, new).findings if finding.code in ("R515", "R516", "R517")]


def test_a_text_that_differs_at_one_site_is_found_at_its_cell() -> None:
    """The compiler treats most values alike, because it only inserts them into the output."""
    (finding,) = site_findings(TABLE, TABLE.replace("s3.linz", "s3.wels"))

    assert finding.message == "s3 of site shop-002 of shops is s3.wels.acme.example (was s3.linz.acme.example)"
    assert (finding.code, finding.level, finding.path[-2:]) == ("R517", Level.REVIEW, ("sites", "s3"))
    place = present(finding.now_at)
    assert (place.file, place.line) == ("shops.csv", 3)


def test_a_value_that_opens_a_network_is_a_danger() -> None:
    """The compiler uses one marker for all sites here, so no finding about the field itself shows the value."""
    spec = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: tills}
governance: {owner: {team: stores, email: stores@acme.example}}
deployment:
  mode: on-prem
  placement: {default: shop}
  targets:
    shop:
      provider: kubernetes
      context: "${site.name}"
      egress: ["${site.net}"]
      capacity: [{count: 2, cpu: 8, memory: 32Gi}]
      sites: {values: {graz: {net: 10.1.0.0/16}, linz: {net: 10.2.0.0/16}}}
registry: {adopt: "https://mlflow.acme.example"}
models: {churn: {task: binary-classification, framework: scikit-learn}}
inference: {till: {variants: {live: {model: churn@champion}}, compute: {cpu: 1, memory: 2Gi}}}
"""
    (finding,) = site_findings(TABLE, TABLE, spec, spec.replace("10.2.0.0/16", "0.0.0.0/0"))

    assert (finding.level, finding.why) == (Level.DANGER, "it is used in deployment.targets.shop.egress")


def test_a_column_that_changes_at_many_sites_is_one_finding() -> None:
    (finding,) = site_findings(TABLE, TABLE.replace(",s3.", ",minio."))

    assert finding.message == (
        "s3 changes at shop-001, shop-002 and 2 more of shops: at shop-001 it is minio.graz.acme.example "
        "(was s3.graz.acme.example)"
    )


def test_new_and_lost_sites_are_found_whatever_their_order() -> None:
    lines = TABLE.splitlines(keepends=True)
    fewer = "".join(line for line in lines if not line.startswith("shop-003"))
    reordered = "".join([lines[0], *reversed(lines[1:])])

    assert site_findings(TABLE, reordered) == []
    assert [(finding.code, finding.level, finding.message) for finding in site_findings(reordered, fewer)] == [
        ("R516", Level.DANGER, "target shops loses 1 of 4 sites: shop-003")
    ]
    assert [(finding.code, finding.level, finding.message) for finding in site_findings(fewer, TABLE)] == [
        ("R515", Level.REVIEW, "target shops has 4 sites (was 3), including the new shop-003")
    ]


def test_a_column_that_the_spec_does_not_use_changes_nothing() -> None:
    assert site_findings(TABLE, TABLE.replace("Wien", "Vienna")) == []


def test_another_canary_is_found_although_the_table_is_the_same() -> None:
    other = SPEC.replace("canary: [shop-001]", "canary: [shop-003]")

    messages = [finding.message for finding in site_findings(TABLE, TABLE, SPEC, other)]
    assert messages == ["wave changes at shop-001 and shop-003 of shops: at shop-001 it is wave-1 (was canary)"]
