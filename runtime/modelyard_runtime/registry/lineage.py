"""Where a model comes from: its data, code, owner and description, as texts that are kept with it."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from modelyard_runtime.registry.formats import warning_of
from modelyard_runtime.storage.datasets import dataset_place
from modelyard_runtime.storage.filesystem import files
from modelyard_runtime.workload.description import Section, digest, names, section, sections, text

_CARD = ("purpose", "limitations", "contact", "license")
_CARD_LONGEST = 5000  # characters of a version's description that MLflow's database takes
_LONGEST = 4000  # a tag's value; MLflow's bound is 8000 on a run and 5000 on some stores
_BLOCK = 2**20  # bytes of a file that are hashed at once
WORKLOAD_TAG = "modelyard.workload"
"""Tag of a version: the pipeline that has trained it."""

ADDED = "registered_model_meta"
"""A file that MLflow's client adds to what it fetches by a version's name."""


def owner_tags(workload: Section) -> dict[str, str]:
    """Who answers for what this workload makes, and what made it."""
    governance = section(workload, "governance")
    owner = section(governance, "owner")
    tags = {
        "modelyard.system": text(workload, "system"),
        "modelyard.environment": text(workload, "environment"),
        "modelyard.target": text(workload, "target"),
        WORKLOAD_TAG: text(workload, "address"),
        "modelyard.owner": f"{text(owner, 'team')} <{text(owner, 'email')}>",
        "modelyard.oncall": text(owner, "oncall"),
        "modelyard.risk": text(governance, "risk"),
    }
    return {key: value for key, value in tags.items() if value}


def model_tags(workload: Section, model: Section, inputs: tuple[str, ...]) -> dict[str, str]:
    """What a version is made with, and under which terms it may be used."""
    data = sections(section(workload, "pipeline"), "data")
    own = (text(data[name], "classification") for name in inputs)
    classes = dict.fromkeys((*names(section(workload, "governance"), "dataClasses"), *own))
    tags = {
        "modelyard.framework": text(model, "framework"),
        "modelyard.license": text(section(model, "card"), "license"),
        "modelyard.data-classes": " ".join(one for one in classes if one),
    }
    return {key: value[:_LONGEST] for key, value in tags.items() if value}


def lineage_tags(workload: Section, step: Section, inputs: tuple[str, ...]) -> dict[str, str]:
    """Data, code and description; empty where the spec does not want them."""
    if not section(workload, "governance").get("lineage"):
        return {}
    data = sections(section(workload, "pipeline"), "data")
    code = text(step, "entrypoint") or f"modelyard_runtime:{text(step, 'trainer')}"
    tags = {"modelyard.description": digest(workload), "modelyard.code": code, "modelyard.image": text(step, "image")}
    for name in inputs:
        tags[f"modelyard.data.{name}"] = f"{text(data[name], 'uri')} {fingerprint(workload, data[name])}"
    return {key: value[:_LONGEST] for key, value in tags.items() if value}


def fingerprint(workload: Section, dataset: Section) -> str:
    """The state of a dataset in few characters: its files by name, size and time. Equal states are equal texts."""
    found = [(one.path, one.size, one.mtime_ns) for one in files(dataset_place(workload, dataset))]
    total = hashlib.sha256(repr(found).encode()).hexdigest()[:16]
    return f"files={len(found)} bytes={sum(size or 0 for _, size, _ in found)} sha256={total}"


def content_digest(folder: Path) -> str:
    """A hash over every file of a model and its path: what an approval is bound to."""
    total = hashlib.sha256()
    for path in sorted(one for one in folder.rglob("*") if one.is_file() and one != folder / ADDED):
        name = path.relative_to(folder).as_posix().encode()
        with path.open("rb") as content:
            size = os.fstat(content.fileno()).st_size
            total.update(len(name).to_bytes(8, "big") + name + size.to_bytes(8, "big"))
            while block := content.read(_BLOCK):  # weights may be larger than memory
                total.update(block)
    return f"sha256:{total.hexdigest()}"


def card_text(workload: Section, model: Section, inputs: tuple[str, ...], written: str, origin: str = "") -> str:
    """The model card as the description of a version: what the spec says of it, and what it has learned from; at its
    end who has made it, or its `origin`.

    A format that runs code when it is loaded comes first, so that no length of the card cuts it off.
    """
    card, data = section(model, "card"), sections(section(workload, "pipeline"), "data")
    lines = [warning_of(written)] if warning_of(written) else []
    lines += [f"{name.capitalize()}: {text(card, name)}" for name in _CARD if text(card, name)]
    for name in inputs:
        said = [text(data[name], key) for key in ("description", "classification") if text(data[name], key)]
        lines.append(f"Learned from {name}{': ' if said else ''}{', '.join(said)}")
    lines.append(origin or f"Made by {text(workload, 'address')} of system {text(workload, 'system')}.")
    return "\n\n".join(lines)[:_CARD_LONGEST]
