"""Locked Python packages: requirements and their dependencies, pinned to one version with hashes.

pip rejects files with other hashes, so it installs exactly the resolved packages. The table is written by
tools/lock_packages.py.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final, Literal, TypeAlias, TypedDict

Kind: TypeAlias = Literal["image", "programs"]
"""A set of locked packages: `image` for Python 3.11 on Linux, or `programs` for Pulumi programs, which run on any
platform with Python 3.11 or later.
"""

MACHINES: Final = ("x86_64", "aarch64")


class Package(TypedDict):
    """A resolved package. `requires` maps each dependency to the architecture that needs it, or '' for all."""

    version: str
    requires: Mapping[str, str]
    hashes: list[str]


def locked(kind: Kind, roots: Iterable[str]) -> tuple[str, ...]:
    """Return a `requirements.txt` for requirements and their dependencies: its lines, with hashes, sorted by name."""
    table, on = packages(kind), closure(kind, roots)
    return tuple(_entry(name, table[name], on[name]) for name in sorted(on))


def closure(kind: Kind, roots: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """Return requirements such as `boto3==1.44.8` and all their dependencies, each with the architectures
    that need it.
    """
    names = [name_of(root) for root in roots]
    architectures: dict[str, tuple[str, ...]] = {}
    for machine in MACHINES:
        for name in _pulled_in(packages(kind), names, machine):
            architectures[name] = (*architectures.get(name, ()), machine)
    return architectures


def name_of(requirement: str) -> str:
    """Return a requirement's normalized name: `PyYAML==6.0.4` is `pyyaml`, and `mlx[cpu]==0.32.4` is `mlx`."""
    return re.sub(r"[-_.]+", "-", requirement.partition("==")[0].partition("[")[0]).lower()


@cache
def packages(kind: Kind) -> Mapping[str, Package]:
    """Return all packages that are locked for `image` or for `programs`, by name."""
    with open(os.path.join(os.path.dirname(__file__), "packages.json"), encoding="utf-8") as file:
        table: Mapping[str, Mapping[str, Package]] = json.load(file)
    return table[kind]


def _pulled_in(table: Mapping[str, Package], roots: Iterable[str], machine: str) -> Iterator[str]:
    waiting = list(roots)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield name
            waiting += [dependency for dependency, only in table[name]["requires"].items() if only in ("", machine)]


def _entry(name: str, package: Package, machines: tuple[str, ...]) -> str:
    only = "" if machines == MACHINES else f' ; platform_machine == "{machines[0]}"'
    lines = (f"{name}=={package['version']}{only}", *(f"    --hash={digest}" for digest in package["hashes"]))
    return " \\\n".join(lines)
