"""Report overlapping folders, and buckets or models with two owners. Their data would be destroyed or mixed up."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Final

from modelyard.checks.folders import Folder, Folders, artifacts, bucket_of, captures, folder_of, written_at
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import data_overlap as problems
from modelyard.provider import Rule
from modelyard.spec import System
from modelyard.spec.scoring import Scoring, scorings


def captured(system: System) -> Iterator[Diagnostic]:
    """Require captures to have their own folder. Retention deletes every file in it, and monitors read them all."""
    folders = Folders(chain(artifacts(system), (folder_of(system, data) for data in system.data.values())))
    for folder in captures(system):
        other = folders.overlapping(folder)
        if other is not None:
            span = written_at(system, folder.path)
            yield problems.captures_overlap(span, folder.what, other.what, other.address)
        folders.add(folder)


def outputs(system: System) -> Iterator[Diagnostic]:
    """Report steps that write to a folder that they also read."""
    for pipeline in system.pipelines.values():
        for step in pipeline.steps:
            if not step.output or step.output in step.inputs:
                continue
            folder = folder_of(system, system.data[step.output])
            other = Folders(folder_of(system, system.data[name]) for name in step.inputs).overlapping(folder)
            if other is not None:
                span = system.at(*step.path, "output")
                yield problems.output_overlaps_input(span, folder.what, folder.address, other.what, other.address)


def scores(system: System) -> Iterator[Diagnostic]:
    """Require a separate output folder for each batch inference."""
    earlier = Folders()
    writers: dict[str, str] = {}
    for scoring, folder in _scored(system):
        other = earlier.overlapping(folder)
        if other is not None:
            span = system.at(*scoring.path, "output")
            yield problems.scores_mixed(span, scoring.name, writers[other.what], folder.address)
        writers.setdefault(folder.what, scoring.name)
        earlier.add(folder)


def _readers(system: System) -> dict[str, str]:
    """Map each dataset that training reads to one of the pipelines that read it."""
    return {
        name: pipeline.name
        for pipeline in system.pipelines.values()
        if pipeline.type == "training"
        for step in pipeline.steps
        for name in step.inputs
    }


def labels(system: System) -> Iterator[Diagnostic]:
    """Report scores written to folders from which training or monitors read labels."""
    readers = {name: f"pipeline '{reader}'" for name, reader in _readers(system).items() if system.data[name].label}
    trained_on = frozenset(readers)
    for monitor in system.monitors.values():
        if monitor.labels and system.data[monitor.labels].label:
            readers.setdefault(monitor.labels, f"monitor '{monitor.name}'")
    label_folders = Folders(folder_of(system, system.data[name]) for name in readers)
    for scoring, folder in _scored(system):
        other = label_folders.equal(folder)
        if other is None:
            around = label_folders.nested(folder)
            other = around if around is not None and around.path[1] not in trained_on else None  # else: training_data
        if other is not None and scoring.output not in scoring.inputs and other.path[1] not in scoring.inputs:
            span = system.at(*scoring.path, "output")
            reader = readers[str(other.path[1])]
            yield problems.scores_among_labels(span, scoring.name, folder.address, reader, other.address)


def training_data(system: System) -> Iterator[Diagnostic]:
    """Report scores written to folders that training reads. Scores used for training need a separate dataset."""
    readers = _readers(system)
    read = Folders(folder_of(system, system.data[name]) for name in readers)
    for scoring, folder in _scored(system):
        other = read.nested(folder)
        if other is not None and other.path[1] not in scoring.inputs:  # another rule reports writing to an input folder
            span = system.at(*scoring.path, "output")
            reader = readers[str(other.path[1])]
            yield problems.scores_in_training_data(span, scoring.name, folder.address, reader, other.address)


def _scored(system: System) -> Iterator[tuple[Scoring, Folder]]:
    """Yield each use of a model for scoring, together with its output folder."""
    for scoring in scorings(system):
        if scoring.output:
            yield scoring, folder_of(system, system.data[scoring.output])


def registered(system: System) -> Iterator[Diagnostic]:
    """Require unique model names in the registry and a separate folder for its artifacts."""
    datasets = Folders(folder_of(system, data) for data in system.data.values())
    for folder in artifacts(system):
        other = datasets.overlapping(folder)
        if other is not None:
            span = written_at(system, folder.path)
            yield problems.artifacts_overlap(span, folder.address, other.what, other.address)
    owners: dict[str, str] = {}
    for model in system.models.values():
        owner = owners.setdefault(model.registered_name, model.name)
        if owner != model.name:
            writer = model.name if "registeredName" in system.written("models", model.name) else owner
            span = system.at("models", writer, "registeredName")
            yield problems.registered_twice(span, model.name, owner, model.registered_name)


def adopted(system: System) -> Iterator[Diagnostic]:
    """Require each adopted bucket or database to belong to only one store."""
    owners: dict[str, str] = {}
    for store in system.stores.values():
        owner = owners.setdefault(bucket_of(store), store.name)
        if owner != store.name:
            yield problems.adopted_twice(system.at("stores", store.name, "adopt"), store.name, owner, store.adopt)


RULES: Final[tuple[Rule, ...]] = (captured, outputs, scores, registered, adopted, training_data, labels)
