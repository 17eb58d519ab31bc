"""Lists the components in `stacks/` with their modules, their modules' imports, and the arguments that they accept.

python tools/list_components.py

The script parses the sources without importing them, so it does not need Pulumi. A test compares the table with the
sources.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
STACKS: Final = ROOT / "stacks" / "modelyard_stacks"
TABLE: Final = ROOT / "targets" / "modelyard_targets" / "components.json"

_OF_PULUMI: Final = "opts"
"""An argument that every component accepts but programs never pass."""


def main() -> None:
    """Write the table of components."""
    TABLE.write_text(table_text(), encoding="utf-8")


def table_text() -> str:
    """Return the table as JSON text."""
    about = "Made by tools/list_components.py from stacks/."
    return json.dumps({"about": about, "modules": dict(_modules())}, indent=1) + "\n"


def _modules() -> Iterator[tuple[str, dict[str, object]]]:
    for path in sorted(STACKS.rglob("*.py")):
        parts = path.relative_to(STACKS).with_suffix("").parts
        if parts[-1] != "__init__":
            tree = ast.parse(path.read_text(encoding="utf-8"))
            yield ".".join(parts), {"imports": sorted(set(_imports(tree, parts))), "classes": dict(_classes(tree))}


def _imports(tree: ast.Module, parts: tuple[str, ...]) -> Iterator[str]:
    """Yield the modules of `modelyard_stacks` that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            package = parts[: len(parts) - node.level]
            yield ".".join([*package, node.module or node.names[0].name])


def _classes(tree: ast.Module) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """Yield the classes whose constructor accepts a name and keyword arguments."""
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and method.name == "__init__" and len(method.args.args) == 2:
                    yield node.name, _arguments(method.args)


def _arguments(arguments: ast.arguments) -> dict[str, list[str]]:
    pairs = list(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))
    required = [argument.arg for argument, default in pairs if default is None]
    optional = [argument.arg for argument, default in pairs if default is not None and argument.arg != _OF_PULUMI]
    return {"required": required, "optional": optional}


if __name__ == "__main__":
    main()
