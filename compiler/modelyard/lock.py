"""modelyard.lock: the inputs of each environment's last compile, stored next to the spec and reviewed with it.

It contains versions and hashes but neither dates nor paths, so it changes only when the output may change.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

from modelyard import __version__
from modelyard.diagnostics.base import Diagnostic, quote
from modelyard.diagnostics.verify import false_pin
from modelyard.hashing import sha256
from modelyard.inputs import LOCK_NAME
from modelyard.load import load
from modelyard.records import field, record
from modelyard.source import Json
from modelyard.stack import Value

_VERSION: Final = 2
_READABLE: Final = (1, _VERSION)
"""The readable lock formats. Format 1 hashed the inputs' text instead of their values, so its entries never match."""

Pinned: TypeAlias = Mapping[str, Mapping[str, str]]
"""The pinned version of each chart and image, under `charts` and `images`."""

Addresses: TypeAlias = Mapping[str, Mapping[str, str]]
"""For each target, the address of each resource, with the section and name of the spec entry that requested it."""


@record
class Locked:
    """A compiled environment: the hash of its inputs, its targets, pinned versions and resources.

    `removed` holds resources from earlier compiles that are missing from this one.
    """

    inputs: str
    targets: tuple[str, ...]
    charts: Mapping[str, str]
    images: Mapping[str, str]
    resources: Addresses
    removed: Addresses = field(default_factory=dict[str, Mapping[str, str]])

    @property
    def pins(self) -> Pinned:
        """The pinned versions of charts and images."""
        return {"charts": self.charts, "images": self.images}

    def sealed(self) -> str:
        """Return a key for the output: a hash of the inputs and pinned versions, which changes if either is edited."""
        return _sealed(_entry(self))


def digest(*parts: str | bytes) -> str:
    """Return `sha256:` and a hash of all parts and their lengths, so different lists cannot collide."""
    total = sha256()
    for part in parts:
        data = part.encode("utf-8", "surrogatepass") if isinstance(part, str) else part
        total.update(len(data).to_bytes(8, "big") + data)
    return f"sha256:{total.hexdigest()}"


def unreadable(text: str | bytes) -> str:
    """Explain briefly why a lock can't be read, or return "" if it can be read or doesn't exist."""
    if not text:
        return ""
    head, problems = load(text, LOCK_NAME)
    if head is None:
        return f"{problems[0].message} on line {problems[0].span.line if problems[0].span else 1}"
    if head.value.get("lockVersion") not in _READABLE:
        known = " and ".join(map(str, _READABLE))
        return f"its lockVersion is not one that this version of modelyard can read: {known}"
    return ""


def environments(text: str | bytes) -> dict[str, Json]:
    """Return a lock's environments as written, or none if the lock is unreadable and will be rewritten."""
    return _section(without_resources(text), "environments")


def left_behind(text: str | bytes, environment: str, with_removed: bool = True) -> dict[str, dict[str, str]]:
    """Return the resources left behind by an environment's compiles, by target and address.

    These are the last compile's resources and, with `with_removed`, those removed by earlier compiles.
    """
    last = _addresses(_section(text, "resources").get(environment))
    earlier = _addresses(_environment(text, environment).get("removed")) if with_removed else {}
    return joined(last, earlier)


def joined(some: Addresses, others: Addresses) -> dict[str, dict[str, str]]:
    """Merge two sets of resources by target and address. If both have an address, the owner in `some` wins."""
    return {target: {**others.get(target, {}), **some.get(target, {})} for target in {**others, **some}}


def entry_for(locked: Mapping[str, Json], environment: str, inputs: str) -> dict[str, Json] | None:
    """Return an environment's entry from a lock, or None if it is missing or was written for other inputs."""
    entry = locked.get(environment)
    return entry if isinstance(entry, dict) and entry.get("inputs") == inputs else None


def wrong_pins(entry: Mapping[str, Json], path: str, environment: str, right: Pinned) -> Iterator[Diagnostic]:
    """Report charts and images whose pinned versions differ from the compiled ones.

    The entry must be for the same inputs. `path` is the lock's path for diagnostics.
    """
    for kind, pins in right.items():
        claimed = _addresses({kind: entry.get(kind, {})}).get(kind, {})
        for name in sorted({*claimed, *pins}):
            if claimed.get(name) != pins.get(name):
                yield false_pin(path, environment, name, claimed.get(name, "nothing"), pins.get(name, "nothing"))


def first_difference(text: str | bytes, environment: str, right: Locked) -> str:
    """Describe how the lock differs from an environment's expected entry, or return "" if they match."""
    entry, fresh = _environment(text, environment), _entry(right)
    if not entry:
        return "it does not list this environment"
    if _version(text) != _VERSION:
        return "it was written by an earlier version of modelyard, which hashed the text of the spec; compile again"
    if entry.get("inputs") != right.inputs:
        return "it was written for another spec, overlay, variables or version of modelyard"
    resources = {name: dict(addresses) for name, addresses in right.resources.items()}
    if _addresses(_section(text, "resources").get(environment)) != resources:
        return "it lists different resources"
    wrong = next((name for name in {**fresh, **entry} if fresh.get(name) != entry.get(name)), "")
    return f"its field {quote(wrong)} differs" if wrong else ""


def _addresses(value: Json) -> dict[str, dict[str, str]]:
    outer = value if isinstance(value, dict) else {}
    return {
        name: {key: str(text) for key, text in inner.items()}
        for name, inner in outer.items()
        if isinstance(inner, dict)
    }


def _environment(text: str | bytes, environment: str) -> dict[str, Json]:
    entry = environments(text).get(environment)
    return entry if isinstance(entry, dict) else {}


def _version(text: str | bytes) -> Json:
    parsed, _ = load(text, LOCK_NAME)
    return None if parsed is None else parsed.value.get("lockVersion")


def _section(text: str | bytes, name: str) -> dict[str, Json]:
    parsed, _ = load(text, LOCK_NAME)
    section = parsed.value.get(name) if parsed is not None else None
    return dict(section) if isinstance(section, dict) else {}


def without_resources(text: str | bytes) -> str | bytes:
    """Return the lock without its last section, which can be large and is not needed when nothing has changed."""
    return text.partition("\nresources:\n")[0] if isinstance(text, str) else text.partition(b"\nresources:\n")[0]


def targets_locked(text: str | bytes, environment: str, inputs: str) -> tuple[tuple[str, ...], str]:
    """Return the targets that these inputs were compiled for in an environment, and the key of the output.

    The targets are empty if the inputs differ or if removed resources must still be reported.
    """
    entry = _environment(text, environment)
    targets = entry.get("targets")
    if entry.get("inputs") != inputs or entry.get("removed") or not isinstance(targets, list):
        return (), ""
    return tuple(str(target) for target in targets), _sealed(entry)


def _sealed(entry: Mapping[str, Json] | Mapping[str, Value]) -> str:
    from modelyard.writers.yaml_text import document  # needed only to compile, not to validate

    return digest(*(document(entry.get(name, "")) for name in ("inputs", "targets", "charts", "images")))


def lock_text(before: str | bytes, environment: str, locked: Locked, schema: str) -> str:
    """Render the lock with one environment replaced and all others unchanged, sorted by name."""
    from modelyard.writers.yaml_text import comment, document

    entries: dict[str, Value] = {**environments(before), environment: _entry(locked)}
    content: dict[str, Value] = {
        "lockVersion": _VERSION,
        "modelyard": __version__,
        "schema": digest(schema),
        "environments": {name: entries[name] for name in sorted(entries)},
    }
    resources: dict[str, Value] = {**_section(before, "resources")}
    resources[environment] = _sorted(locked.resources)
    content["resources"] = {name: resources[name] for name in sorted(resources)}
    return comment("Written by modelyard; part of the review, never edited by hand.") + document(content)


def _entry(locked: Locked) -> dict[str, Value]:
    entry: dict[str, Value] = {"inputs": locked.inputs, "targets": list(locked.targets)}
    entry |= {name: dict(sorted(pinned.items())) for name, pinned in locked.pins.items() if pinned}
    return entry | ({"removed": _sorted(locked.removed)} if locked.removed else {})


def _sorted(addresses: Addresses) -> dict[str, Value]:
    return {target: dict(sorted(addresses[target].items())) for target in sorted(addresses)}
