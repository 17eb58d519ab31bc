"""List a stack's third-party charts and images, for modelyard.lock and offline transfers."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.plan import Plan
from modelyard.target import Pins
from modelyard_targets.kube.addons.addon_values import images_left_out
from modelyard_targets.kube.image.needed import BASE, needs_runtime_image
from modelyard_targets.kube.placement.charts import charts
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import installed_addons
from modelyard_targets.kube.placement.platform import chart_tags
from modelyard_targets.kube.services import database


def pins_of(context: Context) -> Pins:
    """Return a placement's charts and images with their versions."""
    names = installed(context)
    pinned = {charts()[name].chart: charts()[name].version for name in names}
    images = dict(_split(image) for image in images_of(context))
    return Pins(pinned, images)


def installed(context: Context) -> tuple[str, ...]:
    """Return the charts that a placement's program installs."""
    return installed_addons(context)


def images_of(context: Context) -> tuple[str, ...]:
    """Return the sorted public names of all images that a placement pulls.

    These include the runtime image's base, but not the runtime image itself, which users build.
    """
    plan, placement = context.plan, context.placement
    images = {image for name in installed(context) for image in _images_of_chart(name, context)}
    if database.databases_here(context):
        images.add(database.IMAGE)
    if needs_runtime_image(plan, placement):
        images.add(BASE)
    images.update(users_images(plan, placement))
    return tuple(sorted(images))


def _images_of_chart(name: str, context: Context) -> Iterator[str]:
    """Yield a chart's images, with overridden tags and without unused images."""
    addon = context.platform.installs.get(name)
    tags = (addon.tags if addon is not None else chart_tags)(context)
    left_out = images_left_out(name, context)
    for image in charts()[name].images:
        title, _ = _split(image)
        if title not in left_out:
            yield f"{title}:{tags[title]}" if title in tags else image


def users_images(plan: Plan, placement: str) -> Iterator[str]:
    """Yield the images that the spec names for a placement's workloads."""
    here = {resource.workload for resource in plan.on(placement)}
    for pipeline in plan.system.pipelines.values():
        if f"pipelines.{pipeline.name}" in here:
            yield from (step.source.image for step in pipeline.steps if step.source.image)
    for inference in plan.system.inference.values():
        if f"inference.{inference.name}" in here and inference.source.image:
            yield inference.source.image


def _split(image: str) -> tuple[str, str]:
    """Split an image into its name and its tag or digest. The registry's port isn't a tag."""
    name, at, digest = image.partition("@")
    if at:
        return name, digest
    head, colon, tag = image.rpartition(":")
    return (head, tag) if colon and "/" not in tag else (image, "latest")
