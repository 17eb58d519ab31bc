"""Runs the runtime's own checks on all workload descriptions emitted by tests."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from modelyard import further
from modelyard_runtime.checks import check_workload
from modelyard_runtime.refusals import Refusal
from modelyard_targets.kube.monitoring import monitor
from modelyard_targets.kube.pipelines import job
from modelyard_targets.kube.serving import model_server

_Describe = Callable[..., dict[str, Any]]
_asked: ContextVar[bool] = ContextVar("asked", default=True)


class NotAccepted(AssertionError):
    """Raised when the compiler emits a description that the runtime refuses."""


def hold() -> None:
    """Make the functions that describe workloads raise NotAccepted for descriptions the runtime would refuse."""
    further._explored = _not_asked(further._explored)  # pyright: ignore[reportPrivateUsage] # takes incomplete descriptions
    for module, name in ((job, "describe_job"), (model_server, "describe_server"), (monitor, "describe_monitor")):
        setattr(module, name, _held(getattr(module, name)))


@contextmanager
def not_asked() -> Generator[None]:
    """Skip the runtime's checks for specs that a test changes and lowers without validating them."""
    token = _asked.set(False)
    try:
        yield
    finally:
        _asked.reset(token)


def _not_asked(explore: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(explore)
    def explored(*args: Any, **more: Any) -> Any:
        with not_asked():
            return explore(*args, **more)

    return explored


def _held(describe: _Describe) -> _Describe:
    @functools.wraps(describe)
    def described(*args: Any) -> dict[str, Any]:
        description = describe(*args)
        try:
            if _asked.get():
                check_workload(description)
        except Refusal as refusal:
            raise NotAccepted(f"{description['address']}: {refusal}") from refusal
        return description

    return described
