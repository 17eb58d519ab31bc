"""Finds the parts of a cloud's SDK that programs use, so that mypy does not read the other hundreds."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_SDK = re.compile(r"pulumi_\w+")
_ABOVE = re.compile(r"^from \.{2,} import (\w+)", re.MULTILINE)
"""How a service refers to another one, such as `from .. import iam as _iam`."""


def settings(folder: Path, python: Path) -> str:
    """Return a mypy configuration for a folder of programs: mypy skips the services of an SDK that none of them uses.

    An SDK's package refers to all its services, and mypy would need minutes to read them. `disallow_any_unimported`
    reports types of a skipped service. PyYAML ships no types.
    """
    lines = ["[mypy]", "strict = true", "disallow_any_unimported = true"]
    lines += ["[mypy-yaml]", "ignore_missing_imports = true"]
    for package, services in sorted(_used(folder, python).items()):
        for name in sorted(_subpackages(package) - _with_others(package, frozenset(services))):
            lines += [f"[mypy-{package.name}.{name}.*]", "follow_imports = skip"]
    return "\n".join(lines) + "\n"


def _used(folder: Path, python: Path) -> dict[Path, set[str]]:
    """Return the names that programs use of each Pulumi SDK, by the SDK's folder."""
    used: dict[Path, set[str]] = {}
    for file in folder.rglob("*.py"):
        for package, name in _names(ast.parse(file.read_bytes())):
            for sdk in python.parent.parent.glob(f"lib/python*/site-packages/{package}"):
                used.setdefault(sdk, set()).add(name)
    return used


def _names(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield each Pulumi SDK's package with a name used from it, such as `pulumi_gcp` and `storage`."""
    nodes = list(ast.walk(tree))
    imported = [each for node in nodes if isinstance(node, ast.Import) for each in node.names]
    packages = {each.asname or each.name: each.name for each in imported if _SDK.fullmatch(each.name)}
    for package, _, service in (each.name.partition(".") for each in imported if each.name.startswith("pulumi_")):
        yield package, service.partition(".")[0]
    for node in nodes:
        match node:
            case ast.ImportFrom(module=str(module), level=0) if module.startswith("pulumi_"):
                package, _, service = module.partition(".")
                for name in (service.partition(".")[0],) if service else (each.name for each in node.names):
                    yield package, name
            case ast.Attribute(value=ast.Name(id=name), attr=attribute) if name in packages:
                yield packages[name], attribute
            case _:
                pass


@cache
def _subpackages(package: Path) -> frozenset[str]:
    return frozenset(each.parent.name for each in package.glob("*/__init__.py"))


@cache
def _with_others(package: Path, names: frozenset[str]) -> frozenset[str]:
    """Return services together with those that they refer to, directly or indirectly."""
    services = names & _subpackages(package)
    texts = (file.read_text(encoding="utf-8") for name in services for file in (package / name).rglob("*.py"))
    others = {match for text in texts for match in _ABOVE.findall(text)} & _subpackages(package)
    return services if others <= services else _with_others(package, services | others)
