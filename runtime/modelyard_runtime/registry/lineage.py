"""The provenance of a model, i.e. its data, code, owner and description, stored as text with the model."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from modelyard_runtime.registry.formats import warning_of
from modelyard_runtime.storage.datasets import dataset_place
from modelyard_runtime.storage.filesystem import files
from modelyard_runtime.workload.description import digest
from modelyard_runtime.workload.records import Dataset, Model, Step, Workload

_CARD_LONGEST = 5000  # maximum length of a version's description in MLflow's database
_LONGEST = 4000  # maximum length of a tag value, which MLflow limits to 8000 for runs and 5000 in some stores
_BLOCK = 2**20  # the number of bytes of a file to hash at a time
WORKLOAD_TAG = "modelyard.workload"
"""Tag with the pipeline that trained a version."""

ADDED = "registered_model_meta"
"""A file that MLflow's client adds to versions that it downloads by name."""


def owner_tags(workload: Workload) -> dict[str, str]:
    """Return tags for this workload and its owner."""
    governance = workload.governance
    owner = governance.owner
    tags = {
        "modelyard.system": workload.system,
        "modelyard.environment": workload.environment,
        "modelyard.target": workload.target,
        WORKLOAD_TAG: workload.address,
        "modelyard.owner": f"{owner.team} <{owner.email}>",
        "modelyard.oncall": owner.oncall,
        "modelyard.risk": governance.risk,
    }
    return {key: value for key, value in tags.items() if value}


def model_tags(workload: Workload, model: Model, inputs: Mapping[str, Dataset]) -> dict[str, str]:
    """Return tags for a version's framework, license and data classes."""
    input_classes = (item.classification for item in inputs.values())
    classes = dict.fromkeys((*workload.governance.data_classes, *input_classes))
    tags = {
        "modelyard.framework": model.framework,
        "modelyard.license": model.card.license,
        "modelyard.data-classes": " ".join(item for item in classes if item),
    }
    return {key: value[:_LONGEST] for key, value in tags.items() if value}


def lineage_tags(workload: Workload, step: Step, inputs: Mapping[str, Dataset]) -> dict[str, str]:
    """Return tags for data, code and description, or an empty dict if lineage is disabled in the spec."""
    if not workload.governance.lineage:
        return {}
    code = step.entrypoint or f"modelyard_runtime:{step.trainer}"
    tags = {"modelyard.description": digest(workload.source), "modelyard.code": code, "modelyard.image": step.image}
    for name, dataset in inputs.items():
        tags[f"modelyard.data.{name}"] = f"{dataset.uri} {fingerprint(workload, dataset)}"
    return {key: value[:_LONGEST] for key, value in tags.items() if value}


def fingerprint(workload: Workload, dataset: Dataset) -> str:
    """Describe a dataset's state by file names, sizes and modification times. Equal states have equal descriptions."""
    states = [(file.path, file.size, file.mtime_ns) for file in files(dataset_place(workload, dataset))]
    total = hashlib.sha256(repr(states).encode()).hexdigest()[:16]
    return f"files={len(states)} bytes={sum(size or 0 for _, size, _ in states)} sha256={total}"


def content_digest(folder: Path) -> str:
    """Return a hash over the paths and contents of all model files, which approvals refer to."""
    total = hashlib.sha256()
    for path in sorted(file for file in folder.rglob("*") if file.is_file() and file != folder / ADDED):
        name = path.relative_to(folder).as_posix().encode()
        with path.open("rb") as content:
            size = os.fstat(content.fileno()).st_size
            total.update(len(name).to_bytes(8, "big") + name + size.to_bytes(8, "big"))
            while block := content.read(_BLOCK):  # model weights may be larger than memory
                total.update(block)
    return f"sha256:{total.hexdigest()}"


def card_text(
    workload: Workload, model: Model, inputs: Mapping[str, Dataset], model_format: str, origin: str = ""
) -> str:
    """Write the model card, which serves as the version's description.

    It contains the card entries from the spec, the training data, and the model's creator or `origin`. A warning about
    formats that run code when loaded comes first so that truncation never removes it.
    """
    card = model.card
    of_card = {
        "Purpose": card.purpose,
        "Limitations": card.limitations,
        "Contact": card.contact,
        "License": card.license,
    }
    lines = [warning_of(model_format)] if warning_of(model_format) else []
    lines += [f"{name}: {content}" for name, content in of_card.items() if content]
    for name, dataset in inputs.items():
        notes = [note for note in (dataset.description, dataset.classification) if note]
        lines.append(f"Trained on {name}{': ' if notes else ''}{', '.join(notes)}")
    lines.append(origin or f"Created by {workload.address} of system {workload.system}.")
    return "\n\n".join(lines)[:_CARD_LONGEST]
