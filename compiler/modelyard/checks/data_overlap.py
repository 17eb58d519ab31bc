"""Data that would be destroyed or mixed: folders that overlap, buckets and registered models with two owners."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from modelyard.checks.folders import Folder, artifacts, bucket_of, captures, folder_of, overlaps, written_at
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import data_overlap as problems
from modelyard.spec import System


def captured(system: System) -> Iterator[Diagnostic]:
    """Captures have a folder of their own: their retention deletes in it, and monitors read all of it."""
    datasets = [folder_of(system, data) for data in system.data.values()]
    kept = list(captures(system))
    earlier: list[Folder] = []
    for folder in kept:
        for _, other in overlaps([folder], earlier):
            yield problems.captures_overlap(written_at(system, folder.path), folder.what, other.what, folder.address)
        earlier.append(folder)
    for folder, other in overlaps(kept, chain(artifacts(system), datasets)):
        yield problems.captures_overlap(written_at(system, folder.path), folder.what, other.what, other.address)


def outputs(system: System) -> Iterator[Diagnostic]:
    """A step writes outside of every folder that it reads."""
    for pipeline in system.pipelines.values():
        for step in pipeline.steps:
            if not step.output or step.output in step.inputs:
                continue
            written = folder_of(system, system.data[step.output])
            read = [folder_of(system, system.data[name]) for name in step.inputs]
            for folder, other in overlaps([written], read):
                span = system.at(*step.path, "output")
                yield problems.output_overlaps_input(span, folder.what, folder.address, other.what, other.address)


def scores(system: System) -> Iterator[Diagnostic]:
    """Each batch inference writes into a folder of its own."""
    earlier: list[Folder] = []
    writers: dict[str, str] = {}
    for pipeline in system.pipelines.values():
        if pipeline.type != "batch-inference" or not pipeline.output:
            continue
        written = folder_of(system, system.data[pipeline.output])
        for _, other in overlaps([written], earlier):
            span = system.at("pipelines", pipeline.name, "output")
            yield problems.scores_mixed(span, pipeline.name, writers[other.what], written.address)
        writers.setdefault(written.what, pipeline.name)
        earlier.append(written)


def training_data(system: System) -> Iterator[Diagnostic]:
    """Scores stay out of the folders that training reads."""
    names = {
        name: pipeline.name
        for pipeline in system.pipelines.values()
        if pipeline.type == "training"
        for step in pipeline.steps
        for name in step.inputs
    }
    read = {folder_of(system, system.data[name]): reader for name, reader in names.items()}
    for pipeline in system.pipelines.values():
        if pipeline.type != "batch-inference" or not pipeline.output:
            continue
        written = folder_of(system, system.data[pipeline.output])
        apart = [folder for folder in read if (folder.bucket, folder.parts) != (written.bucket, written.parts)]
        for _, other in overlaps([written], apart):
            if other.what not in {folder_of(system, system.data[name]).what for name in pipeline.inputs}:
                span = system.at("pipelines", pipeline.name, "output")
                yield problems.scores_in_training_data(span, pipeline.name, written.address, read[other], other.address)


def registered(system: System) -> Iterator[Diagnostic]:
    """Each model has a name of its own in the registry, and the registry's artifacts have a folder of their own."""
    datasets = (folder_of(system, data) for data in system.data.values())
    for folder, other in overlaps(artifacts(system), datasets):
        yield problems.artifacts_overlap(written_at(system, folder.path), folder.address, other.what, other.address)
    owners: dict[str, str] = {}
    for model in system.models.values():
        owner = owners.setdefault(model.registered_name, model.name)
        if owner != model.name:
            writer = model.name if "registeredName" in system.written("models", model.name) else owner
            span = system.at("models", writer, "registeredName")
            yield problems.registered_twice(span, model.name, owner, model.registered_name)


def adopted(system: System) -> Iterator[Diagnostic]:
    """Each bucket or database is adopted by one store."""
    owners: dict[str, str] = {}
    for store in system.stores.values():
        owner = owners.setdefault(bucket_of(store), store.name)
        if owner != store.name:
            yield problems.adopted_twice(system.at("stores", store.name, "adopt"), store.name, owner, store.adopt)
