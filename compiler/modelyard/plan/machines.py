"""Find the machine types that each resource in a plan runs on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from modelyard.plan.cases import ByType
from modelyard.plan.graph import Resource
from modelyard.plan.hardware import Hardware
from modelyard.plan.workloads import Job, ModelServer, MonitorJob

Use: TypeAlias = tuple[str, Hardware]
"""What runs on a machine type, such as `scorer, variant live`, and the chosen hardware."""


def _none(resource: Resource) -> Iterator[Use]:
    yield from ()


def _of_server(resource: Resource[ModelServer]) -> Iterator[Use]:
    for application in resource.value.applications:
        yield f"{resource.name}, variant {application.variant.name}", application.hardware


def _of_job(resource: Resource[Job]) -> Iterator[Use]:
    for step, hardware in resource.value.hardware.items():
        yield f"{resource.name}, step {step}", hardware


def _of_monitor(resource: Resource[MonitorJob]) -> Iterator[Use]:
    yield resource.name, resource.value.hardware


hardware_of: Final = ByType(_none).case(ModelServer, _of_server).case(Job, _of_job).case(MonitorJob, _of_monitor)
"""Yields the hardware on which each part of a resource runs, or nothing for a resource without a compute class."""
