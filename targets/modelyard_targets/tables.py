"""docs/targets.md: what each target makes of each kind of resource, printed from the catalogs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelyard.plan import Kind
from modelyard.target import Component, Entry, NotYet, Target

_INTRODUCTION: Final = """\
# Targets

Printed from the catalogs of `targets/modelyard_targets`; a test keeps it up to date.

A target says for every kind of resource what becomes of it there: a component, *not yet* (modelyard has not), or
*impossible* (the platform cannot, and what is nearest). A spec that asks for one of the last two is refused at the line
that asks.

An image of your own has to hold the runtime (`modelyard_runtime`, as in the emitted `image/`) and Ray 2.60.0: KubeRay
goes by the version that it is told. It has to hold `bash`, and `wget` where it serves: KubeRay's init container and its
readiness probe call them.

Pulumi keeps the state of the emitted projects where `pulumi login` says: at Pulumi Cloud, in a bucket of your own or in
a folder. It holds the passwords and keys that the programs make, encrypted with a key of Pulumi Cloud, a passphrase or
a key of a KMS; whoever loses that, or the state, can no longer change what was applied.
"""


def targets_page(targets: Mapping[str, Target]) -> str:
    """The page in Markdown."""
    made = {name: target for name, target in targets.items() if not _later(target)}
    waiting = {name: target for name, target in targets.items() if _later(target)}
    parts = [_INTRODUCTION, *(_section(name, target) for name, target in made.items()), _not_yet(waiting)]
    return "\n".join(part for part in parts if part)


def _later(target: Target) -> bool:
    return all(isinstance(entry, NotYet) for entry in target.catalog.values())


def _section(name: str, target: Target) -> str:
    rows = "".join(f"| {kind.value} | {_said(target.catalog[kind])} |\n" for kind in Kind)
    return f"## {name}\n\n| kind | becomes |\n|---|---|\n{rows}"


def _said(entry: Entry) -> str:
    if isinstance(entry, Component):
        return entry.what
    return f"*{'not yet' if isinstance(entry, NotYet) else 'impossible'}*: {entry.reason}"


def _not_yet(targets: Mapping[str, Target]) -> str:
    if not targets:
        return ""
    rows = "".join(f"| {name} | {_reason(target)} |\n" for name, target in targets.items())
    return f"## Not yet\n\n| provider | what is to come |\n|---|---|\n{rows}"


def _reason(target: Target) -> str:
    entry = next(iter(target.catalog.values()))
    return entry.reason if isinstance(entry, NotYet) else ""
