"""The description of a model server, held against what this runtime can do."""

from __future__ import annotations

from modelyard_runtime.capabilities import known_metrics
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.description import Section, section, sections, text


def check_server(workload: Section) -> None:
    """The same of what serves models."""
    applications = sections(workload, "applications")
    if not applications:
        raise Refusal("a server has no application")
    for name, one in applications.items():
        if not known_metrics(text(section(one, "model"), "task")):
            raise Refusal(f"application {name!r}: {text(section(one, 'model'), 'task')!r} is no task of a model")
        if "auth" in one:
            check_auth(section(one, "auth"))


def check_auth(auth: Section) -> None:
    """The same of how callers show who they are."""
    if text(auth, "type") != "bearer-token":
        raise Refusal(f"requests cannot be asked for {text(auth, 'type')!r} here; only for a bearer-token")
