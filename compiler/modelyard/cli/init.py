"""`modelyard init`: write a starter spec, and its schema for editors."""

from __future__ import annotations

import argparse
import errno
import os
from pathlib import Path

from modelyard.cli.console import say
from modelyard.cli.inputs import DISTINCT_NAME, SPEC_NAME
from modelyard.editor.schema import schema_text
from modelyard.nearest import nearest
from modelyard.patterns import pattern

SCHEMA_NAME = "system.schema.json"
LOCAL = "local"
"""The template of a system that runs on this machine."""

_TEMPLATES = Path(__file__).parent.parent / "templates"
_NOT_IN_NAMES = pattern(r"[^a-z0-9]+")


def run(arguments: argparse.Namespace) -> int:
    """Write `system.yaml`, its schema and the template's code into a folder. Returns 1 if any of them exists."""
    available = templates()
    if arguments.list:
        width = max(map(len, available))
        print("\n".join(f"{name:<{width}}  {_summary(path)}" for name, path in available.items()))
        return 0
    if arguments.template not in available:
        return _refuse(
            f"no template '{arguments.template}'",
            nearest(arguments.template, available, "did you mean {}?") or f"one of: {', '.join(available)}",
        )
    folder = Path(arguments.folder)
    code = write(folder, available[arguments.template])
    if code == 0:
        say(f"next: modelyard {'run' if arguments.template == LOCAL else 'compile'} {folder}")
    return code


def write(folder: Path, template: Path) -> int:
    """Write a template into a folder. Returns 1 without changes if any of its files already exists."""
    try:
        files = _write(folder, template)
    except FileExistsError as there:
        return _refuse(f"'{there.filename}' already exists", "choose another folder, or move the file away")
    except OSError as problem:
        reason = problem.strerror or str(problem)
        return _refuse(
            f"cannot write to '{folder}': {reason[:1].lower()}{reason[1:]}", "name a folder that you may write to"
        )
    except ValueError:  # the path contains a NUL byte
        return _refuse(f"cannot write to '{folder}': its name contains a NUL character", "")
    *others, last = map(str, files)
    say(f"wrote {', '.join(others)} and {last}")
    return 0


def templates() -> dict[str, Path]:
    """Return the templates, sorted by name."""
    return {path.stem: path for path in sorted(_TEMPLATES.glob("*.yaml"))}


def _summary(path: Path) -> str:
    """Return a template's summary, which is its first comment line."""
    return path.read_text(encoding="utf-8").partition("\n")[0].lstrip("# ")


def _write(folder: Path, template: Path) -> list[Path]:
    """Write the spec, its code and the schema. Raises FileExistsError before writing if any file exists."""
    folder.mkdir(parents=True, exist_ok=True)
    code = {folder / path.name: path.read_text(encoding="utf-8") for path in code_of(template)}
    spec, text = folder / SPEC_NAME, template.read_text(encoding="utf-8")
    for path in (folder / DISTINCT_NAME, spec, *code):  # two specs in a folder would be an error
        if os.path.lexists(path):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    spec_text = text.replace("name: my-system", f"name: {_system_name(folder)}", 1)
    with open(os.open(spec, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666), "w", encoding="utf-8", newline="\n") as file:
        file.write(f"# yaml-language-server: $schema={SCHEMA_NAME}\n{spec_text}")
    code[folder / SCHEMA_NAME] = schema_text("system")
    for path, content in code.items():
        path.write_text(content, encoding="utf-8", newline="\n")
    return [spec, *code]


def code_of(template: Path) -> list[Path]:
    """Return a template's user code, which is in a folder with the same name as the template."""
    return sorted(template.with_suffix("").glob("*.py"))


def _system_name(folder: Path) -> str:
    """Convert the folder's name to a valid system name, or return `my-system` if that's impossible."""
    name = _NOT_IN_NAMES.sub("-", folder.resolve().name.lower()).strip("-0123456789")[:30].strip("-")
    return name or "my-system"


def _refuse(problem: str, hint: str) -> int:
    say(f"error: {problem}" + (f"\n  = {hint}" if hint else ""))
    return 1
