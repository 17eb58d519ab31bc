"""Route features that some gateway classes don't support, according to their conformance reports."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Final, TypedDict

from modelyard.plan import Route

TIMEOUTS: Final = "request timeouts"
MIRRORS: Final = "mirrors"


class _Class(TypedDict):
    """Gateway classes sharing a prefix, with their conformance report and unsupported features."""

    prefix: str
    report: str
    lacks: list[str]


@cache
def _classes() -> tuple[_Class, ...]:
    with open(os.path.join(os.path.dirname(__file__), "gateway_classes.json"), encoding="utf-8") as file:
        return tuple(json.load(file)["classes"])


def lacking(class_name: str, routes: Iterable[Route]) -> tuple[str, ...]:
    """Return the features used by routes that a gateway class doesn't support.

    A class without a report is assumed to support everything.
    """
    lacks = [feature for each in _classes() if class_name.startswith(each["prefix"]) for feature in each["lacks"]]
    used = {feature for route in routes for feature in _features(route)}
    return tuple(feature for feature in lacks if feature in used)


def _features(route: Route) -> Iterator[str]:
    """Yield the gateway features a route uses. This always includes timeouts, as every endpoint has one."""
    yield TIMEOUTS
    if route.mirror is not None:
        yield MIRRORS
