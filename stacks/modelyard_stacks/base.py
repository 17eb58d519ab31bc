"""Helpers for the components of all providers, which find a program's files and read objects from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias, cast

import yaml

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"

_PROGRAM = Path(__file__).resolve().parent.parent
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def beside_the_program(*parts: str) -> Path:
    """Return a path in the folder that contains this package and the program's `__main__.py`.

    The working directory isn't used, since `pulumi --cwd` and the Automation API can set it to any folder.
    """
    return _PROGRAM.joinpath(*parts)


def read_documents(path: Path) -> Iterator[dict[str, Json]]:
    """Yield a YAML file's non-empty documents in order. Raises ValueError if one isn't a mapping."""
    with path.open(encoding="utf-8") as file:
        for position, document in enumerate(yaml.load_all(file, Loader=_LOADER)):  # a safe loader under either name
            if document is None:
                continue
            if not isinstance(document, dict):
                raise ValueError(f"{path}: document {position + 1} is not a Kubernetes object")
            yield cast("dict[str, Json]", document)
