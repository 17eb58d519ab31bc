"""What the components of every provider share: where a program's own files are, and how objects are read from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias, cast

import yaml

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"

_PROGRAM = Path(__file__).resolve().parent.parent
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def beside_the_program(*parts: str) -> Path:
    """A path in the folder that holds this package and the program's `__main__.py`.

    Not the working directory, which `pulumi --cwd` and the Automation API choose as they like.
    """
    return _PROGRAM.joinpath(*parts)


def read_documents(path: Path) -> Iterator[dict[str, Json]]:
    """The objects of one YAML file, in order; what is empty is left out. Raises ValueError where one is no mapping."""
    with path.open(encoding="utf-8") as file:
        for position, document in enumerate(yaml.load_all(file, Loader=_LOADER)):  # a safe loader, by either name
            if document is None:
                continue
            if not isinstance(document, dict):
                raise ValueError(f"{path}: document {position + 1} is not a Kubernetes object")
            yield cast("dict[str, Json]", document)
