"""The last stage: turn a Stack into files, which are rendered when written and work without modelyard."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

from modelyard.disk import Merged, OutputFile
from modelyard.load import load
from modelyard.program import WRITTEN_BY
from modelyard.records import replace
from modelyard.stack import ManifestFile, Project, Stack, TextFile, Value
from modelyard.writers.python_text import print_program
from modelyard.writers.yaml_text import comment, document, documents

__all__ = ["OutputFile", "emit", "stack_files"]

_COMPONENTS = "modelyard_stacks"
_RUNTIME: Mapping[str, Value] = {"name": "python", "options": {"toolchain": "pip", "virtualenv": "venv"}}


def emit(stack: Stack) -> Iterator[OutputFile]:
    """Yield all files of a stack, with paths relative to the output folder: `<environment>/<target>/…`."""
    for file in stack_files(stack):
        yield replace(file, path=f"{stack.environment}/{stack.target}/{file.path}")


def stack_files(stack: Stack) -> Iterator[OutputFile]:
    """Yield a stack's files, with paths relative to the target's folder."""
    for project in stack.projects:
        for file in _project(project, stack.environment):
            yield replace(file, path=f"{project.folder}/{file.path}")
    for text in stack.texts:
        yield OutputFile(text.path, partial(_text, text))


def _project(project: Project, environment: str) -> Iterator[OutputFile]:
    yield OutputFile("Pulumi.yaml", partial(_yaml, _project_file(project)))
    for stack, settings in (project.stacks or {environment: project.settings}).items():
        ours = _settings(project, settings)
        yield OutputFile(f"Pulumi.{stack}.yaml", partial(_yaml, {"config": ours}), partial(_merge_settings, ours))
    yield OutputFile("__main__.py", lambda: print_program(project.program).encode("utf-8"))
    yield OutputFile("requirements.txt", partial(_lines, project.requirements))
    for module in _with_packages(project.components):
        yield OutputFile(f"{_COMPONENTS}/{module.replace('.', '/')}.py", partial(_component, module))
    for manifest in project.manifests:
        yield OutputFile(f"manifests/{manifest.name}.yaml", partial(_manifests, manifest), facts=manifest.facts)


def _with_packages(modules: Iterable[str]) -> Iterator[str]:
    """Yield the modules, each preceded by the packages that contain it: `aws.network` needs `aws`."""
    listed: set[str] = set()
    for module in modules:
        parts = module.split(".")
        for name in (*(".".join([*parts[:depth], "__init__"]) for depth in range(len(parts))), module):
            if name not in listed:
                listed.add(name)
                yield name


def _project_file(project: Project) -> dict[str, Value]:
    """Build the contents of Pulumi.yaml. It declares typed configuration so that `pulumi config` checks values."""
    declared = {key: _declared(value) for key, value in project.settings.items()}
    typed: dict[str, Value] = {key: declaration for key, declaration in declared.items() if declaration}
    head: dict[str, Value] = {"name": project.name, "description": project.description, "runtime": _RUNTIME}
    return {**head, "config": typed} if typed else head


def _declared(value: Value) -> dict[str, Value]:
    """Declare a setting. Pulumi has no type for fractional numbers or for lists of mixed types."""
    name = _type_name(value)
    if name != "array":
        return {"type": name} if name else {}
    items = [_declared(item) for item in value] if isinstance(value, (list, tuple)) else []
    first: dict[str, Value] = items[0] if items else {"type": "string"}
    return {"type": "array", "items": first} if first and all(item == first for item in items) else {}


def _type_name(value: Value) -> str:
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "integer"
    if isinstance(value, str):
        return "string"
    if isinstance(value, Mapping):
        return "object"
    return "array" if isinstance(value, (list, tuple)) else ""


def _settings(project: Project, settings: Mapping[str, Value]) -> dict[str, Value]:
    """Return a stack's configuration, with every key in the project's namespace."""
    return {f"{project.name}:{key}": value for key, value in settings.items()}


def _merge_settings(ours: Mapping[str, Value], on_disk: bytes, before: bytes) -> Merged | None:
    """Merge our settings with what Pulumi stores in the same file: salts, secrets and other configuration.

    A stack's secrets can't be decrypted without its salt. If the text on disk is equivalent, it stays unchanged.
    """
    theirs = _read_settings(on_disk)
    if theirs is None:
        return None
    other_settings, config = theirs
    base = (_read_settings(before) or ({}, {}))[1]
    changed = any(_text_of(config, key) not in {_text_of(base, key), _text_of(ours, key)} for key in base)
    clashes = any(key in config and _text_of(config, key) != _text_of(ours, key) for key in ours if key not in base)
    added = {key: value for key, value in config.items() if key not in base and key not in ours}
    merged = {**ours, **added}
    if sorted(merged) == sorted(config) and all(_text_of(merged, key) == _text_of(config, key) for key in merged):
        return Merged(on_disk, contradicts=False, added=tuple(added))
    return Merged(_yaml({"config": merged, **other_settings}), changed or clashes, tuple(added))


def _read_settings(text: bytes) -> tuple[Mapping[str, Value], Mapping[str, Value]] | None:
    """Separate the configuration from other settings, or return None if the text isn't a stack settings file."""
    loaded, _ = load(text, "settings")
    if loaded is None:
        return None
    config = loaded.value.get("config", {})
    if not isinstance(config, dict):
        return None
    return {key: value for key, value in loaded.value.items() if key != "config"}, config


def _text_of(config: Mapping[str, Value], key: str) -> str:
    """Return a setting as a string that distinguishes 1 from True, or "" if it is not set."""
    return document(config[key]) if key in config else ""


def _yaml(value: Mapping[str, Value]) -> bytes:
    return (comment(WRITTEN_BY) + document(value)).encode("utf-8")


def _manifests(file: ManifestFile) -> bytes:
    return (comment(WRITTEN_BY) + documents(file.documents())).encode("utf-8")


def _lines(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode("utf-8")


def _text(file: TextFile) -> bytes:
    return file.text().encode("utf-8")


@cache
def _component(module: str) -> bytes:
    """Read an installed component module's source without importing it, which would import Pulumi."""
    spec = find_spec(_COMPONENTS)
    folders = spec.submodule_search_locations if spec is not None else None
    for folder in folders or ():
        path = Path(folder, f"{module.replace('.', '/')}.py")
        if path.is_file():
            return path.read_bytes()
    raise LookupError(f"{_COMPONENTS}.{module} is not installed")
