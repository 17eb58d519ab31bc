"""Generate docs/targets.md from the catalogs, showing how each target implements each resource kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelyard.plan import Kind
from modelyard.target import Component, Entry, Target

_INTRODUCTION: Final = """\
# Targets

Generated from the catalogs of `targets/modelyard_targets`; a test keeps it up to date.

For every kind of resource, a target lists what it becomes there: a component, or *impossible* (the platform cannot do
it; the reason names the closest alternative). A spec that needs something impossible is reported at the line
that needs it.

Your own image must contain the runtime (`modelyard_runtime`, as in the emitted `image/`) and Ray 2.60.0, the version
that KubeRay is configured for. It also needs `bash`, and `wget` for serving: KubeRay's init container and its
readiness probe call them.

Pulumi keeps the state of the emitted projects where `pulumi login` points: in Pulumi Cloud, a bucket or a folder. The
state contains the passwords and keys that the programs create, encrypted with a Pulumi Cloud key, a passphrase or a KMS
key; without that key, or without the state, nobody can change the deployed resources.
"""


def targets_page(targets: Mapping[str, Target]) -> str:
    """Render the page as Markdown."""
    return "\n".join([_INTRODUCTION, *(_section(name, target) for name, target in targets.items())])


def _section(name: str, target: Target) -> str:
    rows = "".join(f"| {kind.value} | {_cell(target.catalog[kind])} |\n" for kind in Kind)
    return f"## {name}\n\n| kind | becomes |\n|---|---|\n{rows}"


def _cell(entry: Entry) -> str:
    if isinstance(entry, Component):
        return entry.what
    return f"*impossible*: {entry.reason}"
