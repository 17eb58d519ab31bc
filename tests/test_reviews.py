"""Tests that each pair in tests/reviews is reviewed as shown in its file, as text, Markdown and JSON.

Each file names a base and the merge patches that turn it into the old and the new version.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import Final, cast

import jsonschema_rs
import pytest
import yaml

import modelyard_schemas
from modelyard.patterns import pattern
from modelyard.printing.review_json import review_json
from modelyard.printing.review_markdown import review_markdown
from modelyard.printing.review_text import review_text
from modelyard.records import replace
from modelyard.review import comparing
from modelyard.review.codes import codes
from modelyard.review.comparing import Review
from modelyard.review.findings import Finding, Level, folded
from modelyard.source import Json
from modelyard.stages import Outcome
from tests.examples import SYSTEMS
from tests.reviewing import codes_of, outcome_of, review_of

REVIEWS: Final = Path(__file__).parent / "reviews"
PAIRS: Final = sorted(REVIEWS.glob("*.md"))
_HEAD: Final = pattern(r"(?s)\A(?P<head># (?:R[0-9]{3}|none|broken): [^\n]*\n\n```yaml\n(?P<pair>.*?)\n```\n)")
BASES: Final = {
    "fraud": Path("examples/fraud-detection/system.yaml"),
    **{name: REVIEWS / "base" / f"{name}.yaml" for name in ("shop", "helpdesk")},
    **{name: SYSTEMS / name / "system.yaml" for name in ("leads-on-azure", "leads-on-google", "tenant")},
}

SHOWN_ELSEWHERE: Final = {
    **dict.fromkeys(("R515", "R516", "R517"), "sites; tests/compiler/review/test_site_values.py"),
    **dict.fromkeys(("R524", "R525", "R526", "R527"), "previews; tests/compiler/cli/test_previews.py"),
    "R701": "a lock of another version; tests/compiler/cli/test_diff.py",
    "R900": "nothing leads to it; tests/compiler/review/test_completeness.py",
    "R909": "nothing that a system contains leads to it",
    "R911": "environments; tests/compiler/cli/test_diff.py",
    "R912": "environments; tests/compiler/cli/test_diff.py",
    **dict.fromkeys(("R920", "R921", "R922", "R923", "R924"), "a file; tests/compiler/cli/test_acknowledge.py"),
    "R913": "files next to the spec; tests/compiler/review/test_further.py",
}


_EFFECTS: Final = ("R502", "R518", "R519", "R520", "R521", "R522", "R523")
"""Codes of what `pulumi up` does. The reverse change may report any of them, depending on what is protected and what
may change in place.
"""

_ALSO: Final = {
    **dict.fromkeys(_EFFECTS, _EFFECTS),
    **dict.fromkeys(("R401", "R403", "R307"), ("R126",)),  # findings that come with a new endpoint
    **dict.fromkeys(("R215", "R217", "R703"), ("R215", "R217", "R703")),  # changes that may have no direction
    "R211": ("R212", "R307"),  # columns that captures lack, and that monitors therefore do not check
    "R401": ("R126", "R401"),  # either of the two
    "R403": ("R126", "R403"),  # either of the two: another issuer is a danger both ways
    "R206": ("R206",),  # a list that both gains and loses items
    "R901": ("R901",),  # an override that stays, with different operations
}
"""The codes that a reverse change may report instead of the mirrored code, by the code of the original change."""

_RENAMES: Final = {"R503": "R504", "R504": "R504"}
"""Codes of renames. Their reverse is a rename without `moved` to the old name, so other findings differ, too."""


def merged(value: Json, patch: Json) -> Json:
    """Return a value after applying a JSON Merge Patch (RFC 7396)."""
    if not isinstance(patch, dict):
        return patch
    result = dict(value) if isinstance(value, dict) else {}
    for key, part in patch.items():
        if part is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), part)
    return result


@lru_cache(maxsize=2)
def _base(name: str) -> dict[str, Json]:
    value = cast("dict[str, Json]", yaml.safe_load(BASES[name].read_text(encoding="utf-8")))
    value.pop("environments", None)
    return value


def _text(name: str, patch: Json) -> str:
    """Return a base spec after a patch, as text with one field per line so that each finding has its own line."""
    return json.dumps(merged(_base(name), patch), indent=1, ensure_ascii=False, default=str)


@lru_cache(maxsize=256)
def _outcome(text: str, side: str) -> Outcome:
    return outcome_of(text, f"{side}.yaml")


def _read(file: Path) -> tuple[str, dict[str, Json]]:
    match = _HEAD.match(file.read_text(encoding="utf-8"))
    assert match is not None, f"{file.name} has no heading or no pair"
    return match["head"], cast("dict[str, Json]", yaml.safe_load(match["pair"]))


def specs_of(file: Path) -> tuple[str, str]:
    """Return the old and the new spec of a pair, as text."""
    _, pair = _read(file)
    base = str(pair.get("base", "shop"))
    patches = [json.loads(json.dumps(pair.get(side) or {}, default=str)) for side in ("before", "after")]
    return _text(base, patches[0]), _text(base, patches[1])


def outcomes_of(file: Path) -> tuple[Outcome, Outcome]:
    """Compile the old and the new spec of a pair."""
    before, after = specs_of(file)
    return _outcome(before, "before"), _outcome(after, "after")


def _pair(file: Path) -> tuple[str, Outcome, Outcome]:
    return _read(file)[0], *outcomes_of(file)


@lru_cache(maxsize=256)
def _review(file: Path) -> Review:
    _, before, after = _pair(file)
    return review_of(before, after)


def _formatted(review: Review) -> str:
    report = json.loads(review_json(review, Level.QUIET))
    findings = [json.dumps(finding, ensure_ascii=False) for finding in report.pop("findings")]
    lines = ",\n  ".join(findings)
    head = json.dumps(report, ensure_ascii=False)[:-1]
    parts = {
        "text": review_text(review, Level.NOTE, colour=False),
        "markdown": review_markdown(review, Level.NOTE),
        "json": f'{head}, "findings": [\n  {lines}]}}\n',
    }
    return "".join(f"\n~~~{form}\n{text}~~~\n" for form, text in parts.items())


@pytest.mark.parametrize("file", PAIRS, ids=lambda file: file.stem)
def test_each_pair_is_reviewed_as_shown(file: Path, accept: bool) -> None:
    head, _, _ = _pair(file)
    updated = head + _formatted(_review(file))
    if accept:
        file.write_text(updated, encoding="utf-8")

    assert updated == file.read_text(encoding="utf-8")
    assert file.stem.startswith(("none", "first", "broken")) or file.stem[:4] in codes_of(_review(file))


@pytest.mark.parametrize("file", PAIRS, ids=lambda file: file.stem)
def test_each_pair_reversed_gives_the_mirror(file: Path) -> None:
    """Reviewing the reverse change yields each finding's mirrored code at the same place in the spec."""
    _, before, after = _pair(file)
    back = {(finding.path[:2], finding.code) for finding in review_of(after, before).findings}

    if file.stem[:4] in _RENAMES:
        assert _RENAMES[file.stem[:4]] in {code for _, code in back}
        return
    for finding in _review(file).findings:
        mirrors = {codes()[finding.code].mirror, *_ALSO.get(finding.code, ())}
        assert {(finding.path[:2], mirror) for mirror in mirrors} & back, finding.message


def test_every_code_has_a_pair() -> None:
    """Each finding code has either a pair named after it or a test elsewhere."""
    covered = {file.stem[:4] for file in PAIRS}

    assert covered & set(codes()) | SHOWN_ELSEWHERE.keys() == set(codes())
    assert not covered & SHOWN_ELSEWHERE.keys()


def test_json_fits_its_schema() -> None:
    schema = modelyard_schemas.load("review")
    for file in PAIRS:
        report = json.loads(review_json(_review(file), Level.QUIET))
        jsonschema_rs.validate(schema, report)


def _accepted_by(review: Review) -> dict[str, str]:
    """Return the messages of findings that users can accept, keyed by fingerprint."""
    return {finding.whole_fingerprint: finding.message for finding in review.findings if finding.level >= Level.REVIEW}


def test_different_changes_have_different_fingerprints() -> None:
    """Findings with different messages never share a fingerprint, even though messages aren't hashed."""
    messages: dict[str, set[str]] = {}
    for file in PAIRS:
        for fingerprint, message in _accepted_by(_review(file)).items():
            messages.setdefault(fingerprint, set()).add(message)

    assert [texts for texts in messages.values() if len(texts) > 1] == []


def test_rewording_leaves_every_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wording of messages affects neither which findings are joined nor how equal findings are numbered."""
    files = PAIRS[::4]
    known = [_accepted_by(_review(file)).keys() for file in files]

    def reworded(findings: Iterable[Finding]) -> tuple[Finding, ...]:
        return folded(replace(finding, message="reworded", why="", reasons=()) for finding in findings)

    monkeypatch.setattr(comparing, "folded", reworded)

    assert [_accepted_by(review_of(*outcomes_of(file))).keys() for file in files] == known


def test_composition_adds_no_danger() -> None:
    """A danger between the first and third versions is also found in one of the two steps."""
    files = [file for file in PAIRS if _read(file)[1].get("base", "shop") == "shop"][:20]
    afters = [_pair(file)[2] for file in files]
    base = _outcome(BASES["shop"].read_text(encoding="utf-8"), "before")
    for middle, last in pairwise(afters):
        steps = {
            finding.path[:2]
            for review in (review_of(base, middle), review_of(middle, last))
            for finding in review.findings
            if finding.level is Level.DANGER
        }
        combined = {finding.path[:2] for finding in review_of(base, last).findings if finding.level is Level.DANGER}
        assert combined <= steps
