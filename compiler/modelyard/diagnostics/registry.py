"""Find the constructor for each code on demand, by inspecting the modules that contain constructors.

A constructor declares its code by creating a diagnostic with it. Compiling and validating don't need a list of codes,
so none is built at startup (docs/decisions/0065-providers-and-diagnostics.md).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from importlib import import_module
from pkgutil import walk_packages
from types import FunctionType, MappingProxyType, ModuleType
from typing import Final, TypeAlias

from modelyard.diagnostics.base import Diagnostic
from modelyard.patterns import pattern

Constructor: TypeAlias = Callable[..., Diagnostic]

CODE: Final = pattern(r"(?:(?P<provider>[A-Z]{2,5})-)?(?P<severity>[EW])(?P<number>[0-9]{3,4})")
"""Matches the compiler's codes, such as `E0203` and `W0502`, and providers' codes, such as `AWS-E001`."""


@lru_cache(maxsize=8)
def collected(packages: tuple[str, ...]) -> Mapping[str, Constructor]:
    """Collect the packages' constructors by code: the compiler's first, then each provider's, sorted by number."""
    constructors: dict[str, Constructor] = {}
    for package in packages:
        for constructor in _constructors(package):
            code = code_of(constructor)
            if code is not None:
                assert code not in constructors, f"{code} has two constructors"
                constructors[code] = constructor
    return MappingProxyType(dict(sorted(constructors.items(), key=lambda item: _place(item[0]))))


def former_codes(packages: Iterable[str]) -> dict[str, str]:
    """Map each former code to the current one, from `FORMER` in the providers' packages."""
    codes: dict[str, str] = {}
    for package in packages:
        codes.update(import_module(package).FORMER)
    return codes


def code_of(constructor: FunctionType) -> str | None:
    """Return a constructor's diagnostic code, or None if it creates none or takes the code as an argument."""
    codes = (
        constant
        for constant in constructor.__code__.co_consts
        if isinstance(constant, str) and CODE.fullmatch(constant)
    )
    return next(codes, None)


def _constructors(package: str) -> Iterator[FunctionType]:
    """Yield the public functions in a package and all its modules."""
    for module in _modules(package):
        for name, value in vars(module).items():
            if isinstance(value, FunctionType) and value.__module__ == module.__name__ and not name.startswith("_"):
                yield value


def _modules(package: str) -> Iterator[ModuleType]:
    root = import_module(package)
    yield root
    for module in walk_packages(root.__path__, f"{package}."):
        yield import_module(module.name)


def _place(code: str) -> tuple[str, str, str]:
    parts = CODE.fullmatch(code)
    assert parts is not None
    return parts["provider"] or "", parts["number"], parts["severity"]
