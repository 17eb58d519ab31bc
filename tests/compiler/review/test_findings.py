"""Tests that findings in a review have separate fingerprints, even if their messages are equal."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.records import replace
from modelyard.review.findings import Finding, Level, folded
from modelyard.source import Span

WORDS = st.sampled_from(["", "a", "b", "ab"])
FINDINGS = st.builds(
    Finding,
    code=st.sampled_from(["R201", "R905"]),
    level=st.sampled_from(Level),
    path=st.sampled_from([("a", "b"), ("a.b",), ("a",)]),
    message=WORDS,
    before=WORDS,
    after=WORDS,
    environments=st.sampled_from([("default",), ("default", "prod"), ("prod",)]),
    now_at=st.builds(Span, st.just("system.yaml"), st.integers(1, 3), st.just(1), st.just(1)),
    facts=WORDS,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(FINDINGS, max_size=8))
def test_no_two_findings_of_a_review_share_a_fingerprint(findings: list[Finding]) -> None:
    joined = folded(findings)

    assert len({finding.fingerprint for finding in joined}) == len(joined)
    assert folded(joined) == joined


def test_the_same_warning_at_two_places_has_two_fingerprints() -> None:
    places = [Span("system.yaml", line, 1, 1) for line in (4, 9)]
    alike = [Finding("R905", Level.REVIEW, ("warnings", "W0101"), "new", now_at=place) for place in places]
    first, second = folded(alike)

    assert first.fingerprint != second.fingerprint


def test_what_no_text_shows_is_part_of_the_fingerprint() -> None:
    finding = Finding("R517", Level.REVIEW, ("a",), "a column changes at many sites")

    assert finding.whole_fingerprint != replace(finding, facts="b").whole_fingerprint
    assert finding.whole_fingerprint.startswith(finding.fingerprint)


def test_a_finding_that_becomes_more_serious_has_another_fingerprint() -> None:
    finding = Finding("R603", Level.REVIEW, ("inference", "score", "replicas"), "fewer", before="2", after="1")

    assert finding.whole_fingerprint != replace(finding, level=Level.DANGER).whole_fingerprint


def test_one_of_two_equal_findings_is_not_what_is_left_of_them() -> None:
    """Accepting the first of two equal findings doesn't accept the second one once the first is gone."""
    places = [Span("system.yaml", line, 1, 1) for line in (4, 9)]
    alike = [Finding("R905", Level.REVIEW, ("warnings", "W0101"), "new", now_at=place) for place in places]
    left = folded(alike[1:])

    assert left[0].whole_fingerprint not in {finding.whole_fingerprint for finding in folded(alike)}


def test_findings_of_two_environments_are_joined_whatever_their_messages_mention() -> None:
    """How findings are joined must not depend on their wording, as fingerprints contain the environments."""
    first = Finding("R101", Level.REVIEW, ("inference", "score", "traffic"), "to a@1", environments=("default",))
    second = replace(first, message="to a@2", environments=("prod",), level=Level.DANGER)
    (joined,) = folded([replace(first, level=Level.DANGER), second])

    assert (joined.message, joined.environments) == ("to a@1; in prod, to a@2", ("default", "prod"))
    assert joined.whole_fingerprint == folded([first, second])[0].whole_fingerprint
