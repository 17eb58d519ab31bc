"""Match review findings against `reviews/acknowledged.yaml`, and report entries that don't accept any.

Entries are read from the new version of this file, but the old version of the spec determines who may sign. That way, a
change can't add a public key and use it right away.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final

from modelyard.inputs import BASE_FOLDER
from modelyard.nearest import nearest
from modelyard.public_keys import NotAKey, public_key
from modelyard.records import field, record, replace
from modelyard.review.acknowledged import Acknowledgement, Unreadable
from modelyard.review.comparing import Outcomes, Review
from modelyard.review.findings import Accepted, Finding, Level, facts, folded
from modelyard.spec import Approval, System
from modelyard.stages import Outcome

_ABOUT_ENTRIES: Final = frozenset({"R920", "R921", "R922", "R923", "R924"})
"""Codes of the findings about `reviews/acknowledged.yaml` itself, which cannot be accepted."""

_PATH: Final = ("acknowledged",)


@record
class Acknowledged:
    """The new version of `reviews/acknowledged.yaml`: its entries, errors, and the key behind each signature.

    The key is None if the signature is invalid.
    """

    entries: tuple[Acknowledgement, ...] = ()
    wrong: tuple[Unreadable, ...] = ()
    signers: Mapping[Acknowledgement, bytes | None] = field(default_factory=dict[Acknowledgement, "bytes | None"])


@record
class Signers:
    """The approver groups and their public keys. At least `minimum` groups must sign an acknowledgement.

    `owner` is the group of the team that owns the system; its signature alone is never enough. If there are no other
    groups, nobody can sign.
    """

    groups: Mapping[str, frozenset[bytes]]
    minimum: int
    owner: str

    def of(self, key: bytes) -> str:
        """Return the group that a public key belongs to, or "" if it belongs to none."""
        return next((name for name, keys in self.groups.items() if key in keys), "")

    def are_enough(self, signed: Collection[str]) -> bool:
        """Return whether enough groups have signed, including at least one besides the owner's."""
        return len(signed) >= self.minimum and any(group != self.owner for group in signed)


def can_be_accepted(finding: Finding) -> bool:
    """Return whether a finding requires acceptance. Findings about acknowledgements never do."""
    return finding.level >= Level.REVIEW and finding.code not in _ABOUT_ENTRIES


def accepted(review: Review, file: Acknowledged, before: Outcomes, after: Outcomes, today: date) -> Review:
    """Mark findings that the file's entries accept, and add findings about entries that are invalid or unused."""
    valid = _valid(file, today)
    required = {name: signers_of(name, before, after) for name in {**before, **after}}
    findings = [_settled(finding, valid, file, required) for finding in review.findings]
    problems = folded((*_problems(file, today), *_without_use(valid, findings), *_unsigned(valid, findings, required)))
    return replace(review, findings=tuple(sorted((*findings, *problems), key=lambda item: -item.level)))


def _valid(file: Acknowledged, today: date) -> list[Acknowledgement]:
    """Return the entries that haven't expired and whose signature, if any, is valid."""
    return [entry for entry in file.entries if entry.until >= today and file.signers.get(entry, b"") is not None]


def signers_of(environment: str, before: Outcomes, after: Outcomes) -> Signers | None:
    """Return who must sign for an environment under the old version's rules, or None if nobody has to.

    Signatures are required if either version is high-risk, or if the old version has change windows or requires
    approvals, either for all promotions or for a model's stage. Only groups that may approve promotions can sign.
    """
    old = _old_system(environment, before)
    new = _system(after.get(environment))
    high = any(system is not None and system.governance.risk == "high" for system in (old, new))
    rules = None if old is None else old.governance
    approvals = [] if old is None else _approvals(old)
    if not high and (rules is None or (not approvals and rules.changes is None)):
        return None
    named = {name for approval in approvals for name in approval.groups}
    groups = {
        group.name: frozenset(_bodies(group.ssh_keys))
        for group in (() if rules is None else rules.approvers)
        if not approvals or group.name in named
    }
    minimum = max((approval.minimum for approval in approvals), default=1)
    return Signers(groups, minimum, "" if rules is None else rules.owner.team)


def _approvals(system: System) -> list[Approval]:
    """Return the system-wide promotion approval or, if there is none, the approvals of all model stages."""
    general = system.governance.approve_promotion
    if general is not None:
        return [general]
    stages = (stage for model in system.models.values() for stage in model.stages)
    return [stage.approval for stage in stages if stage.approval is not None]


def agreement(review: Review, before: Outcomes, after: Outcomes) -> str:
    """Describe who must agree to the dangers in a review, or who should look at its other findings.

    Returns "" if nobody has to look at the review.
    """
    dangers = [finding for finding in review.findings if finding.level is Level.DANGER]
    if not dangers:
        owners = {system.governance.owner.team: None for outcome in after.values() if (system := outcome.system)}
        return f"{' and '.join(owners)} should look at it" if review.count(Level.REVIEW) and owners else ""
    names = dict.fromkeys(name for finding in dangers for name in finding.environments)
    signatures: dict[str, list[str]] = {}
    for name in names:
        signers = signers_of(name, before, after)
        if signers is not None:
            signatures.setdefault(_signatures(signers), []).append(name)
    if not signatures:
        return "anyone who may change `reviews/acknowledged.yaml` has to accept each danger there"
    if len(signatures) == 1:
        return next(iter(signatures))
    return "; ".join(f"in {' and '.join(environments)}: {text}" for text, environments in signatures.items())


def _signatures(signers: Signers) -> str:
    if not signers.groups.keys() - {signers.owner}:
        return "nobody can sign for these dangers: the old version lists no group of approvers other than the owner's"
    alone = (
        f", and {signers.owner} alone is not enough" if signers.owner in signers.groups and signers.minimum < 2 else ""
    )
    return f"{signers.minimum} of {', '.join(signers.groups)} must sign for each danger{alone}"


def _old_system(environment: str, before: Outcomes) -> System | None:
    """Return the old system whose rules apply to an environment, falling back to the base, then to any other."""
    candidates = (before.get(environment), before.get(BASE_FOLDER), *before.values())
    return next((outcome.system for outcome in candidates if outcome is not None and outcome.system is not None), None)


def _system(outcome: Outcome | None) -> System | None:
    return None if outcome is None else outcome.system


def _bodies(lines: Sequence[str]) -> Iterator[bytes]:
    for line in lines:
        try:
            yield public_key(line).body
        except NotAKey:  # reported as E0920
            continue


def _settled(
    finding: Finding,
    valid: Sequence[Acknowledgement],
    file: Acknowledged,
    required: Mapping[str, Signers | None],
) -> Finding:
    """Mark a finding as accepted if its entries cover all of its environments."""
    standing = _standing(finding, valid, file, [required.get(name) for name in finding.environments])
    if not standing.entries or standing.missing or not can_be_accepted(finding):
        return finding
    groups = standing.groups
    effective = [entry for entry in standing.entries if entry in groups] if groups else standing.entries
    people = (Accepted(entry.by, entry.reason, entry.until.isoformat(), groups.get(entry, "")) for entry in effective)
    return replace(finding, accepted=tuple(people))


@record
class _Standing:
    """A finding's valid entries, the groups that signed them, and the signatures still missing."""

    entries: tuple[Acknowledgement, ...]
    groups: Mapping[Acknowledgement, str]
    missing: tuple[str, ...]


def _standing(
    finding: Finding, valid: Iterable[Acknowledgement], file: Acknowledged, required: Iterable[Signers | None]
) -> _Standing:
    """Check a finding's entries against what each of its environments requires.

    None in `required` means that an environment needs no signatures.
    """
    entries = tuple(entry for entry in valid if _names(entry, finding))
    keys = {entry: key for entry in entries if (key := file.signers.get(entry)) is not None}
    groups: dict[Acknowledgement, str] = {}
    missing: dict[str, None] = {}
    for signers in required:
        if signers is not None:
            counting = {entry: group for entry, key in keys.items() if (group := signers.of(key))}
            groups |= counting
            missing[_missing(signers, set(counting.values()))] = None
    return _Standing(entries, groups, tuple(filter(None, missing)))


def _names(entry: Acknowledgement, finding: Finding) -> bool:
    return (entry.code, entry.fingerprint) == (finding.code, finding.whole_fingerprint)


def _problems(file: Acknowledged, today: date) -> Iterator[Finding]:
    for wrong in file.wrong:
        yield _finding("R923", Level.DANGER, f"an acknowledgement cannot be read: {wrong.reason}", wrong)
    for entry in file.entries:
        if entry.until < today:
            message = f"the acknowledgement of {entry.code} by {entry.by} expired on {entry.until.isoformat()}"
            yield _finding(
                "R920", Level.DANGER, message, entry, "remove it, or accept the finding again if it is still reported"
            )
        elif entry in file.signers and file.signers[entry] is None:
            message = f"the signature of the acknowledgement of {entry.code} by {entry.by} is not valid"
            why = "the entry was changed after it was signed, or the signature was"
            yield _finding("R924", Level.DANGER, message, entry, why)


def still_needed(finding: Finding, file: Acknowledged, required: Sequence[Signers | None], today: date) -> str:
    """Describe the signatures a finding still needs, or return "" if its entries suffice in every environment."""
    return "; ".join(_standing(finding, _valid(file, today), file, required).missing)


def _missing(signers: Signers, signed: Collection[str]) -> str:
    if signers.are_enough(signed):
        return ""
    if not signers.groups.keys() - {signers.owner}:
        return "nobody can sign it: the old version lists no group of approvers other than the owner's"
    left = [name for name in signers.groups if name not in signed]
    count = max(1, signers.minimum - len(signed))
    alone = f", and {signers.owner} alone is not enough" if signers.owner in left and count < 2 and not signed else ""
    return f"it still needs {count} signature{'' if count == 1 else 's'} from {', '.join(left)}{alone}; sign with --key"


def _without_use(valid: Sequence[Acknowledgement], findings: Sequence[Finding]) -> Iterator[Finding]:
    """Report entries that match no finding.

    This is a danger if an open finding has the same code, and a note otherwise.
    """
    for entry in valid:
        if any(_names(entry, finding) for finding in findings):
            continue
        open_ones = [
            candidate.whole_fingerprint
            for candidate in findings
            if candidate.code == entry.code and not candidate.accepted
        ]
        if open_ones:
            closest = nearest(entry.fingerprint, open_ones, "{}") or open_ones[0]
            message = (
                f"the acknowledgement of {entry.code} by {entry.by} is for a different change: {entry.fingerprint[:12]}"
            )
            why = f"the finding that is open now has the fingerprint {closest}"
            yield _finding("R922", Level.DANGER, message, entry, why)
        else:
            message = f"the acknowledgement of {entry.code} by {entry.by} accepts nothing in this change"
            yield _finding("R921", Level.NOTE, message, entry)


def _unsigned(
    valid: Sequence[Acknowledgement], findings: Sequence[Finding], required: Mapping[str, Signers | None]
) -> Iterator[Finding]:
    """Report entries whose finding needs no acceptance, or is still open because too few groups have signed."""
    for finding in findings:
        entries = [entry for entry in valid if _names(entry, finding)]
        if finding.accepted or not entries:
            continue
        if not can_be_accepted(finding):
            message = f"the acknowledgement of {finding.code} by {entries[0].by} is not needed"
            yield _finding("R921", Level.NOTE, message, entries[0])
            continue
        requirement = next(signers for name in finding.environments if (signers := required.get(name)) is not None)
        message = f"the acknowledgement of {finding.code} by {entries[0].by} lacks signatures"
        why = f"it needs {requirement.minimum} of {', '.join(requirement.groups)}, by keys that the old version lists"
        if requirement.owner in requirement.groups:
            why += f", and {requirement.owner} alone is not enough"
        if not requirement.groups.keys() - {requirement.owner}:
            why = "the old version lists no group that may sign it, other than the owner's"
        yield _finding("R924", Level.DANGER, message, entries[0], why)


def _finding(code: str, level: Level, message: str, entry: Acknowledgement | Unreadable, why: str = "") -> Finding:
    named = facts(entry.fingerprint, entry.by) if isinstance(entry, Acknowledgement) else ""
    return Finding(code, level, _PATH, message, why, now_at=entry.place, facts=named)
