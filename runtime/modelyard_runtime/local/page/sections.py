"""Renders the sections of the page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from modelyard_runtime.local.notes import DECIDED, MEASURED, kind_of
from modelyard_runtime.local.page.charts import draw
from modelyard_runtime.local.page.forms import form_of
from modelyard_runtime.local.page.markup import Markup, join, table, tag
from modelyard_runtime.local.page.measured import gates_of, of_monitors, of_versions
from modelyard_runtime.local.page.registered import Version
from modelyard_runtime.local.page.watch import Watch
from modelyard_runtime.local.plan import Endpoint

_MOST_DECISIONS = 60
_DECISIONS = frozenset({DECIDED, "requested", "retried", "failed", "interrupted", "replaced", "skipped"})


@dataclass(frozen=True, slots=True)
class View:
    """The data from which the page is rendered once."""

    watch: Watch
    events: tuple[Mapping[str, Any], ...]
    active: tuple[Mapping[str, Any], ...]  # active pipeline runs
    token: str


def sections(view: View) -> Markup:
    """Return all sections below the drawing. Those with `data-live` are refreshed when they change."""
    return join(
        (
            _section("endpoints", "Endpoints", _endpoints(view), live=False),
            _section("decisions", "Decisions", _decisions(view)),
            _section("metrics", "Metrics over time", _metrics(view)),
            _section("models", "Versions", _models(view)),
            _section("workloads", "Workloads", _workloads(view)),
            _section("differences", "What is different on this machine", _notes(view)),
        )
    )


def _section(name: str, title: str, content: Iterable[Markup], *, live: bool = True) -> Markup:
    parts = list(content)
    return tag("section", tag("h2", title), *parts, id=name, data_live="" if live else None) if parts else Markup()


def summary(view: View) -> Markup:
    """Return the lines below the title, which show what is currently running and the registry's address."""
    addresses = view.watch.state.addresses()
    running = ", ".join(f"pipelines.{entry['pipeline']}" for entry in view.active)
    began = next((event["at"] for event in reversed(view.events) if event.get("event") == "began"), "")
    work = f"; running now: {running}" if running else "; no pipeline is running now"
    parts = [tag("p", "running since ", _time(str(began)), work)]
    registry = str(addresses.get("registry", ""))
    if registry.startswith(("http://", "https://")):
        parts.append(tag("p", "registry: ", tag("a", registry, href=registry, rel="noreferrer", target="_blank")))
    return tag("div", *parts, id="summary", data_live="")


def _endpoints(view: View) -> Iterator[Markup]:
    for name, entry in view.watch.plan.endpoints.items():
        client = view.watch.endpoint(name)
        where = tag("code", client.url) if client is not None else tag("span", "not started yet")
        traffic = tag("div", where, _traffic(entry), id=f"traffic-{name}", data_live="")
        form = form_of(name, entry.callers, view.watch.signatures.get(name, ""), view.token)
        yield tag("article", tag("h3", name), traffic, form)


def _traffic(entry: Endpoint) -> Markup:
    shares = [tag("li", f"{backend.application}: {backend.weight}% of requests") for backend in entry.backends]
    if entry.mirror is not None:
        shares.append(
            tag("li", f"{entry.mirror.application}: copies of {entry.mirror.percent}% of requests, answers dropped")
        )
    return tag("ul", *shares)


def _decisions(view: View) -> Iterator[Markup]:
    decided = [event for event in reversed(view.events) if event.get("event") in _DECISIONS][:_MOST_DECISIONS]
    if not decided:
        yield tag("p", "nothing has been decided yet")
        return
    yield table(("when", "workload", "decision", "reason"), (_decision(event) for event in decided), "log")


def _decision(event: Mapping[str, Any]) -> tuple[str, ...]:
    reason, name = str(event.get("text", "")), str(event["event"])
    kind = kind_of(reason) if name == DECIDED else name
    badge = tag("span", kind, class_=f"badge {kind}")
    return _time(str(event["at"])), tag("code", str(event["address"])), badge, reason


def _metrics(view: View) -> Iterator[Markup]:
    contents = view.watch.contents
    charts = [*of_monitors(view.events, contents)]
    charts += [chart for model in view.watch.models for chart in of_versions(model, contents)]
    if charts:
        yield tag("div", *map(draw, charts), class_="charts")
    else:
        yield tag("p", "nothing has been measured yet")


def _models(view: View) -> Iterator[Markup]:
    if view.watch.problem:
        yield tag("p", view.watch.problem)
    for model in view.watch.models:
        gated = list(gates_of(model.name, view.watch.contents))
        yield tag("h3", model.name)
        rows = [_version(version, gated) for version in model.versions]
        head = ("version", "aliases", "gate", "created", *gated)
        yield table(head, rows) if rows else tag("p", "there is no version yet")


def _version(version: Version, gated: list[str]) -> tuple[str, ...]:
    aliases = join(tag("span", alias, class_="badge promotion") for alias in version.aliases)
    created = _time(datetime.fromtimestamp(version.created / 1000, UTC).isoformat())
    metrics = (f"{version.metrics[name]:.4g}" if name in version.metrics else "" for name in gated)
    return (version.number, aliases, version.gate, created, *metrics)


def _workloads(view: View) -> Iterator[Markup]:
    last = {str(event["address"]): event for event in view.events if event["address"] and event["event"] != MEASURED}
    rows = [
        (tag("code", address), str(event["event"]), _time(str(event["at"])), str(event.get("text", "")))
        for address, event in last.items()
    ]
    if rows:
        yield table(("workload", "last event", "when", "message"), rows, "log")


def _notes(view: View) -> Iterator[Markup]:
    notes = [(tag("code", note.field), note.text) for note in view.watch.plan.notes]
    if notes:
        yield table(("field of the spec", "on this machine"), notes, "log")


def _time(moment: str) -> Markup:
    """Format a timestamp in this machine's time zone, returning text that isn't a timestamp unchanged."""
    try:
        local = datetime.fromisoformat(moment).astimezone()
    except ValueError:
        return tag("span", moment)
    return tag("time", local.strftime("%Y-%m-%d %H:%M:%S"), datetime=moment)
