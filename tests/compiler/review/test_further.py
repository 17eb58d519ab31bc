"""Tests findings that do not result from a single field."""

from __future__ import annotations

from pathlib import Path

from modelyard.diagnostics import Diagnostic, Severity
from modelyard.inputs import BASE_FOLDER
from modelyard.records import replace
from modelyard.review.comparing import Review, compared
from modelyard.review.findings import Level
from modelyard.spec import Signed
from modelyard.stages import Outcome
from modelyard_targets import TARGETS
from tests.narrowing import present
from tests.reviewing import outcome_of, review_of, reviewed

BASE = (Path(__file__).parents[2] / "reviews" / "base" / "shop.yaml").read_text(encoding="utf-8")


def test_signed_approvals_are_found() -> None:
    """An approval that a pull request adds lets a version go live."""
    before = outcome_of(BASE)
    signed = (Signed("shop-churn", "champion", "sha256:2c26", "{}"),)
    after = replace(before, system=replace(present(before.system), signed=signed))

    assert [(finding.code, finding.level) for finding in review_of(before, after).findings] == [("R913", Level.REVIEW)]
    assert [(finding.code, finding.level) for finding in review_of(after, before).findings] == [("R913", Level.NOTE)]


def test_the_stricter_profile_decides_the_level() -> None:
    """Lowering the risk along with a safeguard doesn't lower the level of the safeguard's finding."""
    high = BASE.replace("risk: limited", "risk: high")
    looser = BASE.replace("capture: {store: lake, sample: 20%", "capture: {store: lake, keys: [amount], sample: 20%")
    levels = {finding.code: (finding.level, finding.reasons) for finding in reviewed(high, looser).findings}

    assert levels["R307"] == (Level.DANGER, ("risk: high",))


def test_an_environment_for_trials_lowers_what_can_be_undone() -> None:
    """Changing a gate in `dev` only needs a review, but losing a store's data is as dangerous as elsewhere."""
    before, after = (
        outcome_of(BASE),
        outcome_of(BASE.replace("min: 0.8}", "min: 0.7}").replace("retain: 30d", "retain: 7d")),
    )
    trials = [replace(item, system=replace(present(item.system), environment="dev")) for item in (before, after)]
    levels = {item.code: item.level for item in review_of(*trials).findings}

    assert (levels["R201"], levels["R310"]) == (Level.REVIEW, Level.DANGER)


def test_an_environment_for_trials_that_uses_a_store_of_others_is_a_danger() -> None:
    """Trials would then read and write the data of an environment that isn't meant for trials."""
    base, own = outcome_of(BASE), outcome_of(BASE.replace("adopt: acme-lake", "adopt: acme-trials"))
    trials = [replace(one, system=replace(present(one.system), environment="dev")) for one in (own, base)]
    before, after = ({BASE_FOLDER: base, "dev": one} for one in trials)
    alone = compared({"dev": trials[0]}, {"dev": trials[1]}, TARGETS)
    (found,) = [one for one in compared(before, after, TARGETS).findings if one.code == "R506"]

    assert (found.level, found.reasons) == (Level.DANGER, ("default uses acme-lake too",))
    assert [one.level for one in alone.findings if one.code == "R506"] == [Level.REVIEW]


def test_an_environment_in_the_namespace_of_another_is_a_danger() -> None:
    """Its `pulumi up` would overwrite the objects of the other environment. The base does not count."""
    overwritten = "each `pulumi up` overwrites the other environment's objects"
    own = BASE.replace("context: frankfurt", "context: frankfurt\n      namespace: canary")
    prod, second = (_named(outcome_of(BASE), name) for name in ("prod", "second"))
    canary = _named(outcome_of(own), "second")
    clashes = (
        _of_code("R911", compared({"prod": prod}, {"prod": prod, "second": second}, TARGETS)),
        _of_code("R508", compared({"prod": prod, "second": canary}, {"prod": prod, "second": second}, TARGETS)),
    )
    alone = (
        _of_code("R911", compared({"prod": prod}, {"prod": prod, "second": canary}, TARGETS)),
        _of_code("R911", compared({BASE_FOLDER: prod}, {BASE_FOLDER: prod, "second": second}, TARGETS)),
    )

    assert clashes == 2 * (
        (
            Level.DANGER,
            (f"prod is in namespace shop of frankfurt too: {overwritten}",),
        ),
    )
    assert alone == 2 * ((Level.REVIEW, ()),)


def _named(outcome: Outcome, name: str) -> Outcome:
    return replace(outcome, system=replace(present(outcome.system), environment=name))


def _of_code(code: str, review: Review) -> tuple[Level, tuple[str, ...]]:
    """Return the level of a review's only finding with a code, and the reasons for it."""
    (finding,) = (finding for finding in review.findings if finding.code == code)
    return finding.level, finding.reasons


def test_a_variant_without_traffic_reaches_nobody() -> None:
    idle = BASE.replace("live: 95, next: 5", "live: 100, next: 0")
    other = idle.replace("next: {model: churn@candidate}", "next: {model: churn@champion}")
    findings = {finding.code: finding for finding in reviewed(idle, other).findings}

    assert (findings["R104"].level, findings["R104"].reasons) == (Level.NOTE, ("the variant gets no traffic",))


def test_a_new_environment_shows_what_it_creates_and_costs_and_moves_nothing() -> None:
    """A cluster or store that differs from the base's doesn't count as moved, since nothing exists yet."""
    base = outcome_of(BASE)
    other = BASE.replace("context: frankfurt", "context: berlin").replace("adopt: acme-lake", "adopt: acme-lake-new")
    new = outcome_of(other.replace("min: 0.8}", "min: 0.7}"))
    new = replace(new, system=replace(present(new.system), environment="blue"))
    review = compared({BASE_FOLDER: base}, {BASE_FOLDER: base, "blue": new}, TARGETS)
    findings = {finding.code: finding for finding in review.findings}

    assert (
        findings["R201"].message
        == "environment blue introduces: churn passes its gate with auc_roc ≥ 0.7 (in the base: 0.8)"
    )
    assert findings["R522"].message.startswith("main: `pulumi up` creates database runs")
    assert findings["R620"].message == "the monthly cost will be 876 USD"  # three machines
    assert not {"R506", "R508", "R519", "R520", "R521"} & findings.keys()


LISTS = (
    (Path(__file__).parents[2] / "fields" / "lists.yaml")
    .read_text(encoding="utf-8")
    .replace("{file: shops.csv}", "{values: {north: {}}}")
)


def test_a_row_that_goes_takes_its_entries_along_and_no_warning_is_new() -> None:
    """When a row is removed, a warning about all rows of a list changes its text, but isn't reported as new."""
    review = reviewed(LISTS, LISTS.replace(", water: {error: 5}", ""))
    messages = {item.code: item.message for item in review.findings}

    assert messages["R520"].endswith(
        "Ray cluster use-water and objects of monitors.slow-water and pipelines.train-water"
    )
    assert not {"R504", "R607", "R615", "R905", "R906"} & messages.keys()
    assert any(item.code == "W0477" for item in outcome_of(LISTS).diagnostics)


def test_a_row_with_another_name_is_found_in_every_section_that_can_be_moved() -> None:
    """The row's pipeline, endpoint and monitor refer to its model, which is renamed along with the row."""
    review = reviewed(LISTS, LISTS.replace("water: {error: 5}", "steam: {error: 5}"))

    assert {(finding.before, finding.after) for finding in review.findings if finding.code == "R504"} == {
        ("lake-water", "lake-steam"),
        ("train-water", "train-steam"),
        ("use-water", "use-steam"),
        ("slow-water", "slow-steam"),
    }


def test_a_warning_about_a_row_that_was_there_before_is_new() -> None:
    quiet = LISTS.replace("checks: {p99_ms: {max: 400}}}", "checks: {p99_ms: {max: 400}}, onBreach: {notify: [grid]}}")
    quiet += 'channels:\n  grid: {type: slack, url: "secret://kubernetes/slack#url"}\n'
    review = reviewed(quiet, LISTS)

    assert [finding.message.partition(":")[0] for finding in review.findings if finding.code == "R905"] == [
        "new warning W0477"
    ]


def test_an_entry_of_its_own_compute_goes_without_a_finding_about_the_compute() -> None:
    own = BASE.replace("    compute: cpu\n    replicas", "    compute: {cpu: 2, memory: 8Gi}\n    replicas")
    spec = own.replace(
        "  score:\n", "  web: {variants: {live: {model: churn@champion}}, compute: {cpu: 1, memory: 2Gi}}\n  score:\n"
    )

    assert {finding.code for finding in reviewed(spec, own).findings} >= {"R126"}
    assert not {"R607", "R614", "R615"} & {finding.code for finding in reviewed(spec, own).findings}
    assert not {"R607", "R614", "R615"} & {finding.code for finding in reviewed(own, spec).findings}


def test_a_group_that_had_to_agree_and_is_dropped_is_a_danger() -> None:
    dropped = BASE.replace("from: [reviewers, owners], minimum: 2", "from: [reviewers], minimum: 1")
    findings = {finding.path[-1]: finding for finding in reviewed(BASE, dropped).findings if finding.code == "R241"}

    assert findings["from"].why == "owners had to agree, but no longer has to"
    assert findings["from"].level is Level.DANGER


def test_a_window_that_leaves_data_out_is_a_danger_and_one_that_covers_it_is_not() -> None:
    """With one run per day, a window of six hours omits most of the day."""
    shorter = BASE.replace("    window: 1d\n", "    window: 6h\n    schedule: {cron: '0 6 * * *'}\n")
    findings = {finding.code: finding for finding in reviewed(BASE, shorter).findings}

    assert findings["R211"].why == "it checks the last 6h every 1d, so 18h of data between two runs is never checked"
    assert {finding.code for finding in reviewed(shorter, BASE).findings} >= {"R212"}
    assert not {"R211", "R215"} & {
        finding.code for finding in reviewed(BASE, BASE.replace("window: 7d", "window: 1d")).findings
    }


def test_a_warning_knows_its_sites() -> None:
    """A warning at another site is new, even if only a number differs, and must be accepted separately."""
    outcome = outcome_of(BASE)

    def warned(*ends: str) -> Outcome:
        texts = [f"machine 'a' has 4 cores{end}" for end in ends]
        return replace(outcome, diagnostics=tuple(Diagnostic("W0999", Severity.WARNING, text, None) for text in texts))

    first, second = (warned(f" (at site shop-00{at})") for at in (1, 2))
    fingerprints = {review_of(outcome, after).findings[0].whole_fingerprint for after in (warned(""), first, second)}

    assert len(fingerprints) == 3
    assert [finding.code for finding in review_of(first, second).findings] == ["R905", "R906"]
    assert review_of(warned(" (at sites a, b)"), warned(" (at sites a, b)")).findings == ()
