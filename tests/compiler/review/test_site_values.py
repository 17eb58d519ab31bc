"""Tests that a review compares sites by name, and only the site values used by the spec."""

from __future__ import annotations

from functools import lru_cache

import pytest

from modelyard.inputs import InputFile, Inputs
from modelyard.pipeline import understand
from modelyard.review import site_judging
from modelyard.review.findings import Finding, Level
from modelyard.review.site_systems import with_values
from modelyard.sites.binding import Site
from modelyard.stages import Outcome
from modelyard_targets import TARGETS
from tests.examples import SYSTEMS
from tests.narrowing import present
from tests.reviewing import review_of

SHELF = SYSTEMS / "shelf"
TABLE = (SHELF / "shops.csv").read_text(encoding="utf-8")


SPEC = (SHELF / "system.yaml").read_text(encoding="utf-8")


_OF_UP = ("R502", "R518", "R522", "R523", "R620")
"""Codes of findings about what `pulumi up` does and what it costs."""


@lru_cache(maxsize=8)
def _outcome(spec: str, table: str) -> Outcome:
    tables = {"shops.csv": InputFile("shops.csv", table)}
    return understand(Inputs(InputFile("system.yaml", spec), tables=tables), TARGETS)


def site_findings(before: str, after: str, old_spec: str = SPEC, new_spec: str = SPEC) -> list[Finding]:
    """Return the findings about sites for a change to the table or the spec."""
    old, new = _outcome(old_spec, before), _outcome(new_spec, after)
    assert not old.failed
    assert not new.failed
    return [finding for finding in review_of(old, new).findings if finding.code not in _OF_UP]


def test_a_text_that_differs_at_one_site_is_found_at_its_cell() -> None:
    """The compiler treats most site values alike, since it only inserts them into the output."""
    (finding,) = site_findings(TABLE, TABLE.replace("s3.linz", "s3.wels"))

    assert finding.message == (
        "the endpoint of store box is https://s3.wels.acme.example (was https://s3.linz.acme.example) "
        "(at site shop-002)"
    )
    assert (finding.code, finding.level, finding.path) == ("R312", Level.DANGER, ("stores", "box", "endpoint"))
    place = present(finding.now_at)
    assert (place.file, place.line) == ("shops.csv", 3)


def test_a_value_that_opens_a_network_is_a_danger() -> None:
    """The compiler uses one marker for all sites here, so only comparing each site's values shows the change."""
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

    assert (finding.code, finding.level, finding.environments) == ("R401", Level.DANGER, ("default",))
    assert finding.message.endswith("may connect to any address (was [10.2.0.0/16]) (at site linz)")
    (less,) = site_findings(TABLE, TABLE, spec, spec.replace("10.2.0.0/16", "10.2.0.0/17"))
    assert (less.code, less.level) == ("R402", Level.REVIEW)


def test_a_value_is_judged_like_the_same_change_of_the_spec() -> None:
    """An image registry on another host may serve different code, whether named in the spec or a site's row."""
    (of_site,) = site_findings(TABLE, TABLE.replace("registry.linz", "evil.linz"))
    plain = SPEC.replace("${site.registry}", "registry.linz.acme.example")
    changed = site_findings(TABLE, TABLE, plain, plain.replace("registry.linz", "evil.linz"))
    (direct,) = (finding for finding in changed if finding.path[-2:] == ("images", "registry"))

    assert (of_site.code, of_site.level, of_site.path) == (direct.code, direct.level, direct.path)
    assert (of_site.code, of_site.level) == ("R706", Level.DANGER)
    assert of_site.message == f"{direct.message} (at site shop-002)"


def test_accepting_a_value_covers_the_sites_and_values_that_it_was_for() -> None:
    changes = (("s3.linz", "s3.wels"), ("s3.linz", "s3.enns"), ("s3.graz", "s3.wels"), (",s3.", ",minio."))
    fingerprints = {site_findings(TABLE, TABLE.replace(*change))[0].whole_fingerprint for change in changes}

    assert len(fingerprints) == len(changes)


def test_a_value_that_changes_in_too_many_ways_is_a_finding_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site_judging, "MOST_JUDGED", 3)
    (finding,) = site_findings(TABLE, TABLE.replace(",registry.", ",images."))

    assert (finding.code, finding.why) == ("R517", "it is used in deployment.targets.shops.images.registry")


def test_a_column_that_changes_at_many_sites_is_one_finding() -> None:
    (finding,) = site_findings(TABLE, TABLE.replace(",s3.", ",minio."))

    assert finding.message == (
        "the endpoint of store box is https://minio.graz.acme.example (was https://s3.graz.acme.example) "
        "at site shop-001, and others differ (at sites shop-001, shop-002, shop-003 and 1 more)"
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


WAVES = "waves: {canary: [shop-001], shares: [50%], soak: 12h}"


@pytest.mark.parametrize(
    ("waves", "path", "code", "mirror", "message"),
    [
        (
            "waves: {canary: [shop-001], shares: [50%], soak: 1m}",
            ("waves", "soak"),
            ("R206", Level.DANGER),
            ("R207", Level.NOTE),
            "each wave of sites of shops serves a version for 1m (was 12h) before the next wave gets it",
        ),
        (
            "waves: {canary: [shop-001], soak: 12h}",
            ("waves", "shares"),
            ("R206", Level.DANGER),
            ("R207", Level.NOTE),
            "after the canary, new versions reach all sites of shops (was 50%, then all)",
        ),
        (
            "waves: {canary: [shop-001], shares: [20%, 70%], soak: 12h}",
            ("waves", "shares"),
            ("R207", Level.NOTE),
            ("R206", Level.DANGER),
            "after the canary, new versions reach 20%, 70%, then all sites of shops (was 50%, then all)",
        ),
        (
            "waves: {canary: [shop-003], shares: [50%], soak: 12h}",
            ("waves", "canary"),
            ("R208", Level.REVIEW),
            ("R208", Level.REVIEW),
            "sites of shops that get new versions first: added shop-003, removed shop-001",
        ),
        (
            "",
            ("waves",),
            ("R206", Level.DANGER),
            ("R207", Level.NOTE),
            "new versions reach all sites of shops at once (was the canary shop-001 first)",
        ),
    ],
)
def test_a_change_to_waves_is_found_where_it_is_written(
    waves: str, path: tuple[str, ...], code: tuple[str, Level], mirror: tuple[str, Level], message: str
) -> None:
    """Fewer or shorter rollout waves are a danger, even though no row of the table changes."""
    other = SPEC.replace(f", {WAVES}" if not waves else WAVES, waves)

    (finding,) = site_findings(TABLE, TABLE, SPEC, other)
    assert (finding.code, finding.level) == code
    assert (finding.path, finding.message) == (("deployment", "targets", "shops", "sites", *path), message)
    place = present(finding.now_at)
    assert (place.file, place.line) == ("system.yaml", SPEC[: SPEC.index(WAVES)].count("\n") + 1)
    (back,) = site_findings(TABLE, TABLE, other, SPEC)
    assert (back.code, back.level, back.path) == (*mirror, finding.path)


def test_shares_that_grow_in_one_wave_and_shrink_in_another_are_for_review() -> None:
    other = SPEC.replace("shares: [50%]", "shares: [60%, 70%]")

    (finding,) = site_findings(TABLE, TABLE, SPEC, other)
    assert (finding.code, finding.level) == ("R208", Level.REVIEW)


def test_parts_without_values_of_sites_stay_the_same_objects() -> None:
    """Both versions share these parts, so comparing two sites only examines what depends on their values."""
    outcome = _outcome(SPEC, TABLE)
    system, bound = present(outcome.system), present(outcome.bound)
    (group,) = bound.groups

    at_site = with_values(system, Site(group, 1, bound.bindings[group.name].marked))
    assert at_site.stores["box"].endpoint == "https://s3.linz.acme.example"
    assert at_site.models is system.models
    assert at_site.stores["lake"] is system.stores["lake"]
    assert at_site.deployment.targets[0] is system.deployment.targets[0]
