"""Rules about where workloads run and what they run on: targets, machines, and networks."""

from __future__ import annotations

from typing import Final

from modelyard.checks.regions import regions
from modelyard.review.changes import Change, Direction, renamed_targets
from modelyard.review.rules.base import (
    DANGER,
    NOTE,
    QUIET,
    REVIEW,
    Rule,
    Verdict,
    always,
    by_way,
    described_by,
    moves,
    plainly,
    was,
)
from modelyard.review.rules.placement import moves_abroad, region
from modelyard.review.sides import Sides
from modelyard.spec import TargetSpec


def _jurisdiction(change: Change, _: Sides) -> Verdict:
    """Judge where a cluster stands. A country in place of its jurisdiction, or the reverse, moves nothing."""
    old, new = change.before.text, change.after.text
    is_within = bool(old and new) and (regions().within(old, (new,)) or regions().within(new, (old,)))
    return "R306", REVIEW if is_within else DANGER


def _region_why(change: Change, _: Sides) -> str:
    stays = (
        "everything that the target creates is recreated there; "
        "resources that hold data in the old region are protected"
    )
    if not moves_abroad(change):
        return stays
    table = regions()
    return f"from {table.country_of(change.before.text)} to {table.country_of(change.after.text)}; {stays}"


def _accelerators_say(change: Change, _: Sides) -> str:
    after, before = (" or ".join(side.items or ()) or "no accelerator" for side in (change.after, change.before))
    return f"compute class {change.path[1]} has {was(after, before)}"


def _namespace_says(change: Change, sides: Sides) -> str:
    """Describe the old and new namespaces. A target's namespace defaults to the system name."""
    before = change.before.text or sides.before.metadata.name
    return f"target {change.path[2]} uses namespace {was(change.after.text or sides.after.metadata.name, before)}"


def _address_why(change: Change, sides: Sides) -> str:
    before, after = (side.text.rpartition("@")[2].lower() for side in (change.before, change.after))
    if before == after:
        return ""
    if not any(target.in_cloud for side in (sides.before, sides.after) for target in side.deployment.targets):
        return "questions and alerts about the system go to a different domain"
    return (
        "names that must be unique in a cloud, such as those of buckets and vaults, contain a hash of the domain: "
        "these resources are recreated under new names, and everything that depends on them is rolled out"
    )


def _target(change: Change, sides: Sides) -> Verdict:
    if not change.added:
        return "R507", DANGER
    return "R510", NOTE if change.path[2] in renamed_targets(sides.before, sides.after).values() else REVIEW


def _target_says(change: Change, sides: Sides) -> str:
    names = renamed_targets(sides.before, sides.after)
    if not change.added and change.path[2] in names:
        return f"target {change.path[2]} is renamed to {names[change.path[2]]}"
    target = change.now if change.added else change.was
    where = f" ({target.provider} {target.region or target.context})".rstrip() if isinstance(target, TargetSpec) else ""
    return f"target {change.path[2]}{where} is {'new' if change.added else 'removed'}"


def _target_why(change: Change, sides: Sides) -> str:
    names = renamed_targets(sides.before, sides.after)
    if change.added or change.path[2] not in names:
        return ""
    return f"a target cannot be renamed: everything is recreated on {names[change.path[2]]}"


def _chooses_version(change: Change) -> bool:
    """Return whether both versions choose the cluster's, which is up to its owner if the cluster exists."""
    return bool(change.before.text and change.after.text)


def _version_why(change: Change, _: Sides) -> str:
    return "a cluster cannot go back to an older version" if _chooses_version(change) else ""


def _version(change: Change, _: Sides) -> Verdict:
    if not _chooses_version(change):
        return "R505", NOTE
    return "R505", DANGER if _number(change.after.text) < _number(change.before.text) else REVIEW


def _number(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdecimal())


def _nat(change: Change, _: Sides) -> Verdict:
    """Judge the NAT gateways of a target. With none, nothing reaches the internet; one depends on its zone."""
    before, after = change.before.text, change.after.text
    if "none" in {before, after} or not (before and after):
        return "R402" if after == "none" else "R401", REVIEW
    return ("R616", NOTE) if after == "per-zone" else ("R606", REVIEW)


def _nat_why(change: Change, sides: Sides) -> str:
    return "without its zone, no zone reaches the internet" if _nat(change, sides)[0] == "R606" else ""


def _label_level(change: Change, _: Sides) -> Verdict:
    return "R804", NOTE


def _moved(change: Change, _: Sides) -> Verdict:
    return ("R503", NOTE) if change.added else ("R504", DANGER)


def _moved_says(change: Change, _: Sides) -> str:
    if change.removed:
        return f"`moved` no longer says that {change.path[-1]} was {change.before.text}"
    return f"{change.path[-1]} was {change.after.text}, and keeps its resources"


def _tenancy_why(change: Change, _: Sides) -> str:
    """Explain who manages what is at cluster scope, if that changes: a private cloud is managed like one's own."""
    if change.after.text == "shared":
        return "its owner manages the namespace, add-ons, admission policies and priority classes, not this system"
    if change.before.text == "shared":
        return "this system manages its namespace, add-ons, admission policies and priority classes, not the owner"
    return ""


def _tenancy(change: Change, _: Sides) -> Verdict:
    hands = "shared" in {change.before.text, change.after.text}
    return "R409", REVIEW if hands or change.way is Direction.LOOSER else NOTE


_TARGET: Final = ("deployment", "targets", "*")
_COMPUTE: Final = ("compute", "*")
_ANEW: Final = "resources are not renamed: new ones are created, and those with the old name are removed"
_SIGNS: Final = "whoever runs it can sign tokens for every workload there, and so open stores in clouds that trust them"
_OTHER_STACKS: Final = (
    "stacks and their resources are named after the system: everything is recreated under the new name"
)


RULES: Final[tuple[Rule, ...]] = (
    Rule((*_TARGET, "region"), region, described_by("target {target} is in {moves}"), _region_why, irreversible=True),
    Rule((*_TARGET, "residency"), _jurisdiction, described_by("target {target} is in {moves}")),
    Rule(
        (*_TARGET, "provider"),
        always("R508", DANGER),
        described_by("target {target} runs on {moves}"),
        "everything on it is recreated on the other provider",
        irreversible=True,
    ),
    Rule(
        (*_TARGET, "account"),
        always("R508", DANGER),
        described_by("target {target} is in account {moves}"),
        "everything that the target creates is recreated there",
        irreversible=True,
    ),
    Rule((*_TARGET, "tenant"), always("R508", DANGER), described_by("target {target} is in tenant {moves}")),
    Rule(
        (*_TARGET, "resourceGroup"),
        always("R508", DANGER),
        described_by("target {target} is in resource group {moves}"),
    ),
    Rule(
        (*_TARGET, "context"),
        always("R508", DANGER),
        described_by("target {target} uses cluster context {moves}"),
        "everything is recreated in the other cluster",
    ),
    Rule(
        (*_TARGET, "namespace"),
        always("R508", DANGER),
        _namespace_says,
        "everything is recreated in the other namespace",
    ),
    Rule(
        (*_TARGET, "version"),
        _version,
        described_by("the Kubernetes version of {target} is {moves}"),
        _version_why,
        irreversible=True,
    ),
    Rule(
        (*_TARGET, "storageClass"),
        always("R505", REVIEW),
        described_by("volumes on {target} use storage class {moves}"),
        "existing volumes keep their class",
    ),
    Rule(
        (*_TARGET, "network"),
        by_way(("R401", DANGER), ("R402", REVIEW), ("R401", REVIEW)),
        described_by("the API of the cluster {target} is {moves}"),
    ),
    Rule(
        (*_TARGET, "access"),
        by_way(("R401", DANGER), ("R402", REVIEW), ("R401", REVIEW)),
        described_by("the addresses that may call the API of the cluster {target}: {moves}"),
    ),
    Rule((*_TARGET, "*", "nat"), _nat, described_by("the NAT gateways of {target} are {moves}"), _nat_why),
    Rule((*_TARGET, "tenancy"), _tenancy, described_by("the cluster of {target} is {moves}"), _tenancy_why),
    Rule(
        (*_TARGET, "telemetry", "remoteWrite"),
        lambda change, _: ("R410", REVIEW if change.removed else DANGER),
        described_by(
            "metrics of {target} are sent to {moves}",
            "metrics of {target} are no longer sent anywhere (was {before})",
        ),
        lambda change, _: (
            "dashboards there stop receiving data" if change.removed else "metrics leave the cluster for this address"
        ),
    ),
    Rule(
        (*_TARGET, "issuer"),
        lambda change, _: ("R404", REVIEW) if change.removed else ("R403", DANGER),
        described_by("clouds trust tokens for {target} from {moves}", "no cloud trusts {before} for {target}"),
        lambda change, _: "" if change.removed else _SIGNS,
    ),
    Rule(
        (*_TARGET, "present"),
        always("R702", REVIEW),
        lambda change, _: f"add-ons that {change.path[2]} already has: {moves(change)}",
        "add-ons in this list are not installed; an add-on that is removed from it is installed",
    ),
    Rule(
        (*_TARGET, "capacity", "*", "price"),
        always("R611", REVIEW),
        plainly,
        "cost estimates and the budget check use it",
    ),
    Rule(
        (*_TARGET, "capacity"), always("R613", REVIEW), plainly, "modelyard checks against it whether everything fits"
    ),
    Rule(("deployment", "mode"), always("R511", REVIEW), described_by("the deployment mode is {moves}")),
    Rule(("deployment", "placement"), always("R511", REVIEW), described_by("the placement of {last} is {moves}")),
    Rule(
        (*_COMPUTE, "capacity"),
        by_way(("R606", REVIEW), ("R616", NOTE), ("R606", REVIEW)),
        described_by("machines of compute class {name} are {moves}"),
        lambda change, _: "spot machines can be reclaimed within minutes" if change.way is Direction.LOOSER else "",
    ),
    Rule(
        (*_COMPUTE, "accelerators"),
        always("R607", REVIEW),
        _accelerators_say,
        "code, batch sizes and drivers have to suit it",
    ),
    *(
        Rule(
            (section, "*", "priority"),
            by_way(("R606", REVIEW), ("R616", NOTE), ("R606", REVIEW)),
            described_by("the priority of {name} is {moves}"),
            lambda change, _: (
                "workloads with a higher priority may stop it and take its machines"
                if change.way is Direction.LOOSER
                else ""
            ),
        )
        for section in ("inference", "pipelines")
    ),
    Rule(
        ("inference", "*", "compute", "capacity"), by_way(("R606", REVIEW), ("R616", NOTE), ("R606", REVIEW)), plainly
    ),
    Rule(
        ("governance", "owner", "team"),
        always("R801", REVIEW),
        described_by("the owning team is {moves}"),
        "tags name a different team, and alerts and questions go to it",
    ),
    Rule(
        ("governance", "owner", "email"),
        always("R801", REVIEW),
        described_by("the owner's email address is {moves}"),
        _address_why,
    ),
    Rule(
        ("metadata", "name"),
        always("R508", DANGER),
        described_by("the system's name is {moves}"),
        _OTHER_STACKS,
        irreversible=True,
    ),
    Rule(("metadata", "labels"), _label_level, described_by("label {last} is {moves}")),
    Rule(("metadata", "description"), always("R805", QUIET), described_by("the description changes")),
    Rule(
        ("moved", "*"),
        _moved,
        _moved_says,
        lambda change, _: _ANEW if change.removed else "this is a rename, so nothing is removed",
    ),
)

ENTRIES: Final[tuple[Rule, ...]] = (
    Rule(_TARGET, _target, _target_says, _target_why),
    Rule(_COMPUTE, always("R614", NOTE), described_by("compute class {name} is {moves}")),
)
"""The rules for targets and compute classes that are new or removed."""
