"""Tests that effects on a target with sites are predicted for each site, whatever the order of the sites."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from modelyard.diagnostics import Diagnostic, Severity
from modelyard.inputs import BASE_FOLDER, InputFile, Inputs
from modelyard.pipeline import understand
from modelyard.records import replace
from modelyard.review.comparing import introduced
from modelyard.review.findings import Finding, Level
from modelyard.sites.binding import has_markers
from modelyard.stages import Outcome
from modelyard_targets import TARGETS
from tests.reviewing import review_of

SPEC: Final = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: tolls}
governance: {owner: {team: roads, email: roads@acme.example}}
deployment:
  mode: hybrid
  targets:
    learn: {provider: gcp, region: europe-west3, account: acme-tolls, secretStores: {vault: {via: secrets-manager}}}
    booths:
      provider: kubernetes
      sites: {file: booths.csv}
      context: "${site.name}"
      edge: true
      issuer: "https://tokens.acme.example/booths"
      capacity: [{count: "${site.boxes}", cpu: 8, memory: 32Gi}]
      images: {registry: "${site.registry}/tolls"}
      secretStores: {vault: {via: external-secrets, store: vault}}
  placement: {default: learn}
stores:
  lake: {type: object, target: learn}
  runs: {type: database, target: learn, size: 20Gi}
registry: {database: runs, artifacts: lake}
models: {classes: {task: multiclass-classification, framework: xgboost}}
inference:
  gate: {target: booths, variants: {live: {model: classes@champion}}, compute: {cpu: 2, memory: 4Gi}}
"""
NORTH: Final = "booth-a,1,reg.north.example\n"
SOUTH: Final = "booth-b,2,reg.south.example\n"


@lru_cache(maxsize=8)
def _outcome(rows: str, spec: str = SPEC) -> Outcome:
    table = InputFile("booths.csv", f"name,boxes,registry\n{rows}")
    return understand(Inputs(InputFile("system.yaml", spec), tables={"booths.csv": table}), TARGETS)


def _findings(before: str, after: str) -> tuple[Finding, ...]:
    old, new = _outcome(before), _outcome(after)
    assert not old.failed
    assert not new.failed
    return review_of(old, new).findings


def _lost(before: str, after: str) -> Finding:
    (finding,) = (finding for finding in _findings(before, after) if finding.code == "R520")
    return finding


def test_the_order_of_the_sites_changes_nothing() -> None:
    assert _findings(NORTH + SOUTH, SOUTH + NORTH) == ()


def test_what_a_later_site_loses_is_a_danger_that_names_it() -> None:
    """A booth's second machine replaces its volume. The first row of the table doesn't change."""
    other = SOUTH.replace(",2,", ",1,")

    lost = _lost(NORTH + other, NORTH + SOUTH)
    assert lost.message == "booths: `pulumi up` destroys volume gate-disk (at site booth-b)"
    assert lost.level.word == "danger"


def test_accepting_a_loss_at_one_site_does_not_accept_it_at_another() -> None:
    singles = NORTH + SOUTH.replace(",2,", ",1,")
    doubles = NORTH.replace(",1,", ",2,") + SOUTH

    fingerprints = {
        _lost(before, after).whole_fingerprint
        for before, after in ((singles, NORTH + SOUTH), (NORTH + SOUTH, doubles), (singles, doubles))
    }
    assert len(fingerprints) == 3
    assert _lost(singles, doubles).message == "booths: `pulumi up` destroys volume gate-disk"


def test_accepting_a_loss_at_every_site_does_not_accept_it_at_later_sites() -> None:
    """A finding about all sites doesn't name them, but its fingerprint covers them."""
    single, double = "booth-c,1,reg.east.example\n", "booth-c,2,reg.east.example\n"
    pairs = ((NORTH, NORTH.replace(",1,", ",2,")), (NORTH + single, NORTH.replace(",1,", ",2,") + double))
    lost = [_lost(before, after) for before, after in pairs]

    assert len({finding.message for finding in lost}) == 1
    assert len({finding.whole_fingerprint for finding in lost}) == 2


def test_errors_in_one_version_do_not_make_placeholders_look_like_changes() -> None:
    """A version with errors has the values of its first site, whereas the other version has placeholders."""
    broken = _outcome(SOUTH + NORTH, SPEC.replace("memory: 4Gi", "memory: 4000Gi"))
    assert broken.failed

    for before, after in ((_outcome(NORTH + SOUTH), broken), (broken, _outcome(NORTH + SOUTH))):
        assert [finding.subject for finding in review_of(before, after).findings] == ["inference.gate.compute.memory"]


def _warned(rows: str, at: str) -> Outcome:
    warning = Diagnostic("W0999", Severity.WARNING, f"captures are lost (at sites {at})", None)
    return replace(_outcome(rows), diagnostics=(warning,))


def test_a_warning_at_fewer_or_more_sites_is_new_only_at_sites_that_lacked_it() -> None:
    """New or removed sites change the sites named in a message, but not what it says about the others."""
    both, three = NORTH + SOUTH, f"{NORTH}{SOUTH}booth-c,2,reg.east.example\n"
    named, first, last = _warned(three, "booth-a, booth-c"), _warned(both, "booth-a"), _warned(both, "booth-b")
    many = [_warned(rows, f"booth-a and {count} more") for rows, count in ((both, 1), (three, 2), (both, 2))]

    for before, after, codes in (
        (named, first, set[str]()),
        (first, named, set[str]()),
        (first, last, {"R905", "R906"}),
        (first, _warned(both, "booth-a, booth-b"), {"R905"}),
        (many[0], many[1], set[str]()),
        (many[0], many[2], {"R905"}),
    ):
        assert {finding.code for finding in review_of(before, after).findings} & {"R905", "R906"} == codes


def test_findings_show_references_to_site_values_instead_of_markers() -> None:
    """Versions that use different columns have different markers for the same column."""
    rows, registry = NORTH + SOUTH, "deployment.targets.booths.images.registry"
    other = SPEC.replace("${site.registry}/tolls", "${site.registry}/gates")
    area = other.replace("edge: true", 'edge: true\n      namespace: "${site.name}-tolls"').replace(
        "${site.registry}/gates", "${site.registry}/${site.name}"
    )
    reviews = [review_of(_outcome(rows), _outcome(rows, spec)) for spec in (other, area)]
    reviews.append(introduced({BASE_FOLDER: _outcome(rows, area)}, TARGETS))

    assert {finding.message for finding in reviews[0].findings if finding.subject == registry} == {
        f"{registry} is ${{site.registry}}/gates (was ${{site.registry}}/tolls)"
    }
    for review in reviews:
        for finding in review.findings:
            assert not has_markers(f"{finding} {finding.now_at}"), finding.message
    assert any("${site.name}" in finding.message for finding in reviews[1].findings)


def test_a_value_that_is_only_inserted_as_text_has_its_effects_at_the_sites() -> None:
    """Plans contain a marker for such a value, so they're equal. Specs containing the value itself wouldn't be."""
    east, west = "booth-c,2,reg.east.example\n", "booth-d,2,reg.west.example\n"
    moved = (NORTH + SOUTH + east + west).replace("reg.east", "reg.centre").replace("reg.west", "reg.centre")
    effects = {
        finding.code: (finding.message, finding.level.word)
        for finding in _findings(NORTH + SOUTH + east + west, moved)
        if finding.path == ("deployment", "targets", "booths")
    }

    message = "booths: `pulumi up` rolls out Ray cluster gate (at sites booth-c, booth-d)"
    assert effects == {"R518": (message, "review")}


TWO: Final = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: tolls}
governance: {owner: {team: roads, email: roads@acme.example}}
deployment:
  mode: on-prem
  placement: {default: booths}
  targets:
    booths:
      provider: kubernetes
      sites: {values: {booth-a: {boxes: 1}, booth-b: {boxes: 2}}}
      context: "${site.name}"
      capacity: [{count: "${site.boxes}", cpu: 8, memory: 32Gi}]
    yards:
      provider: kubernetes
      sites: {values: {YARDS}}
      context: "${site.name}"
      capacity: [{count: "${site.boxes}", cpu: 8, memory: 32Gi}]
registry: {adopt: "https://mlflow.acme.example"}
models: {classes: {task: multiclass-classification, framework: xgboost}}
inference:
  gate: {variants: {live: {model: classes@champion}}, compute: {cpu: 2, memory: 4Gi}}
  scale: {target: yards, variants: {live: {model: classes@champion}}, compute: {cpu: "${site.cores}", memory: 4Gi}}
overrides:
  old:
    target: yards
    sites: [yard-b]
    object: RayService/scale
    patch: [{op: add, path: /metadata/annotations, value: {acme.example/box: "2019"}}]
    reason: Its box is replaced next year.
"""
YARD_A: Final = "yard-a: {boxes: 1, cores: 1}"
YARD_B: Final = "yard-b: {boxes: 2, cores: 3}"


@lru_cache(maxsize=16)
def _yards(first: str, second: str, spec: str = TWO) -> Outcome:
    text = spec.replace("YARDS", f"{first}, {second}")
    return understand(Inputs(InputFile("system.yaml", text)), TARGETS)


def test_the_order_of_the_sites_of_another_group_changes_nothing() -> None:
    """The first group's plan has the values of the first row in every other group."""
    before, after = _yards(YARD_A, YARD_B), _yards(YARD_B, YARD_A)
    assert not before.failed, before.diagnostics
    assert not after.failed, after.diagnostics

    assert review_of(before, after).findings == ()


def test_a_value_in_one_group_is_judged_although_another_group_has_a_different_order() -> None:
    more = TWO.replace("booth-b: {boxes: 2}", "booth-b: {boxes: 3}")

    in_order = review_of(_yards(YARD_A, YARD_B), _yards(YARD_A, YARD_B, more)).findings
    out_of_order = review_of(_yards(YARD_A, YARD_B), _yards(YARD_B, YARD_A, more)).findings
    assert [finding.message for finding in out_of_order] == [finding.message for finding in in_order]
    assert in_order


def test_a_site_at_the_beginning_of_another_group_is_only_a_new_site() -> None:
    new = "yard-c: {boxes: 4, cores: 2}"
    before, after = _yards(YARD_A, YARD_B), _yards(new, f"{YARD_A}, {YARD_B}")

    assert [finding.code for finding in review_of(before, after).findings] == ["R515"]


def test_errors_in_one_version_do_not_reorder_the_sites_of_another_group() -> None:
    broken = _yards(YARD_B, YARD_A, TWO.replace("cpu: 2, memory: 4Gi", "cpu: 2, memory: 4000Gi"))
    assert broken.failed

    for before, after in ((_yards(YARD_A, YARD_B), broken), (broken, _yards(YARD_A, YARD_B))):
        assert [finding.subject for finding in review_of(before, after).findings] == ["inference.gate.compute.memory"]


def _of_overrides(before: str, after: str) -> list[tuple[str, str, int | None]]:
    """Return the code, the sites, and the line of each finding about overrides."""
    findings = review_of(_yards(YARD_A, YARD_B, before), _yards(YARD_A, YARD_B, after)).findings
    about = [finding for finding in findings if finding.path[0] == "overrides"]
    places = [finding.now_at or finding.was_at for finding in about]
    return [
        (finding.code, finding.message.rpartition(" (at ")[2], None if place is None else place.line)
        for finding, place in zip(about, places, strict=True)
    ]


def test_overrides_of_later_sites_are_judged() -> None:
    """No plan for the first site contains them, whatever they set."""
    start = TWO.index("overrides:")
    without, line = TWO[:start], TWO[:start].count("\n") + 3
    at_site, at_first = "site yard-b)", "site yard-a)"

    assert _of_overrides(without, TWO) == [("R901", at_site, line)]
    assert _of_overrides(TWO, without) == [("R903", at_site, line)]
    assert _of_overrides(TWO, TWO.replace('"2019"', '"2020"')) == [("R901", at_site, line + 3)]
    assert _of_overrides(TWO, TWO.replace("    sites: [yard-b]\n", "")) == [("R901", at_first, line)]
    moved = [code for code, _, _ in _of_overrides(TWO, TWO.replace("sites: [yard-b]", "sites: [yard-a]"))]
    assert sorted(moved) == ["R901", "R903"]


def test_an_override_that_weakens_later_sites_is_a_danger() -> None:
    opened = TWO.replace('/metadata/annotations, value: {acme.example/box: "2019"}', "/spec/x, value: 1").replace(
        "path: /spec/x, value: 1",
        "path: /spec/rayClusterConfig/headGroupSpec/template/spec/securityContext, value: {runAsUser: 0}",
    )
    old, new = _yards(YARD_A, YARD_B), _yards(YARD_A, YARD_B, opened)
    assert not new.failed, new.diagnostics
    (finding,) = (finding for finding in review_of(old, new).findings if finding.code == "R901")
    first = introduced({BASE_FOLDER: new}, TARGETS)

    assert (finding.level.word, finding.subject) == ("danger", "overrides.old.patch")
    assert ("R901", "danger") in {(finding.code, finding.level.word) for finding in first.findings}


def test_a_value_that_replaces_those_of_sites_is_judged_at_each() -> None:
    """The first site may already have had the value that all sites get."""
    spec = TWO.replace('cpu: "${site.cores}", memory: 4Gi}', 'cpu: 2, memory: "${site.memory}"}')
    rows = ("yard-a: {boxes: 1, memory: 4Gi}", "yard-b: {boxes: 2, memory: 6Gi}", "yard-c: {boxes: 3, memory: 5Gi}")
    old = _yards(rows[0], ", ".join(rows[1:]), spec)
    same, other = (
        _yards(rows[0], ", ".join(rows[1:]), spec.replace('"${site.memory}"', each)) for each in ("4Gi", "7Gi")
    )
    messages = [
        [finding.message for finding in review_of(old, new).findings if finding.path[0] == "inference"]
        for new in (same, other)
    ]

    text, memory = "and others differ (at sites", "inference.scale.compute.memory is"
    assert messages == [
        [f"{memory} 4Gi (was 6Gi) at site yard-b, {text} yard-b, yard-c)"],
        [f"{memory} 7Gi (was 4Gi) at site yard-a, {text} yard-a, yard-b, yard-c)"],
    ]


def test_a_value_of_the_first_site_is_judged_there() -> None:
    more = YARD_A.replace("cores: 1", "cores: 2")
    findings = review_of(_yards(YARD_A, YARD_B), _yards(more, YARD_B)).findings
    (finding,) = (finding for finding in findings if finding.level >= Level.REVIEW and finding.path[0] == "inference")

    assert finding.message.endswith("(at site yard-a)")
    assert "R517" not in {finding.code for finding in findings}


NAMED: Final = """\
apiVersion: modelyard.dev/v1alpha1
kind: MLSystem
metadata: {name: tolls}
governance: {owner: {team: roads, email: roads@acme.example}}
deployment:
  mode: on-prem
  placement: {default: booths}
  targets:
    booths:
      provider: kubernetes
      sites: {file: booths.csv}
      context: "${site.name}"
      namespace: "${site.area}-tolls"
      capacity: [{count: 2, cpu: 16, memory: 64Gi}]
      images: {registry: "${site.registry}/tolls"}
registry: {adopt: "https://mlflow.acme.example"}
models: {classes: {task: multiclass-classification, framework: xgboost}}
inference:
  gate: {variants: {live: {model: classes@champion}}, compute: {cpu: 2, memory: 4Gi}}
"""
AREAS: Final = "booth-a,north,reg.north\nbooth-b,south,reg.south\nbooth-c,east,reg.east\n"


def _named(rows: str, spec: str = NAMED) -> Outcome:
    table = InputFile("booths.csv", f"name,area,registry\n{rows}")
    outcome = understand(Inputs(InputFile("system.yaml", spec), tables={"booths.csv": table}), TARGETS)
    assert not outcome.failed, outcome.diagnostics
    return outcome


def test_effects_show_references_where_sites_have_different_names() -> None:
    """The resources of two sites have different names, so a message must not show only the first site's."""
    new = AREAS.replace("north,", "northern,").replace("south,", "southern,")
    findings = review_of(_named(AREAS), _named(new)).findings
    (destroyed,) = (finding for finding in findings if finding.code == "R520")
    (renamed,) = (finding for finding in findings if finding.code == "R508")

    assert destroyed.message == (
        "booths: `pulumi up` destroys namespace ${site.area}-tolls and Ray cluster gate (at sites booth-a, booth-b)"
    )
    assert renamed.message == (
        "target booths uses namespace northern-tolls (was north-tolls) at site booth-a, and others differ "
        "(at sites booth-a, booth-b)"
    )
    other = review_of(_named(AREAS), _named(new.replace("southern", "inner"))).findings
    accepted = {finding.whole_fingerprint for finding in findings}
    assert not accepted & {finding.whole_fingerprint for finding in other if finding.code in {"R520", "R508"}}


def test_a_version_that_uses_another_column_changes_only_what_uses_it() -> None:
    """Markers are numbered by column, so using one column less gives other columns other markers."""
    spec = NAMED.replace('"${site.area}-tolls"', '"${site.name}-tolls"')
    for before, after, column in ((NAMED, spec, "area"), (spec, NAMED, "name")):
        findings = review_of(_named(AREAS, before), _named(AREAS, after)).findings

        assert {finding.code for finding in findings} == {"R508", "R520", "R522"}
        assert f"destroys namespace ${{site.{column}}}-tolls and" in findings[0].message


def test_a_value_of_another_form_changes_only_its_site() -> None:
    """Such a value gives every site another marker, or none because the compiler has to treat it as more than text."""
    for value in ("reg.east.example", "reg.east:5000"):
        new = AREAS.replace("reg.east", value)
        for before, after in ((AREAS, new), (new, AREAS)):
            findings = review_of(_named(before), _named(after)).findings

            assert {finding.code for finding in findings} == {"R518", "R706"}
            assert all(finding.message.endswith("(at site booth-c)") for finding in findings)
