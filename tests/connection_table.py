"""Reads the table of open connections in a README and compares it with the actual network policies."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from modelyard.manifest import NAME
from testbed.kubernetes.network_policies import Labels, Network, Pod

_ROW = re.compile(r"\| (?P<pods>.+) \| (?P<may>accept from|connect to) \| (?P<peers>.+) \| (?P<ports>.+) \|")
_PODS = re.compile(
    r"(?:every Pod|Pods with (?P<labels>`[^`]+`(?: and `[^`]+`)*)|`(?P<name>[^`]+)`)"
    r"(?: in (?:`(?P<space>[^`]+)`|any namespace(?: with `(?P<key>[^`]+)`)?))?"
)


@dataclass(frozen=True)
class Row:
    """A row of the open connections table, with its cells as text."""

    pods: tuple[str, ...]
    may: str
    peers: tuple[str, ...]
    ports: frozenset[str]


def rows_of(readme: str) -> tuple[Row, ...]:
    """Return the rows of the table of open connections in a README."""
    matches = (_ROW.fullmatch(line) for line in readme.splitlines())
    return tuple(
        Row(tuple(row["pods"].split(", ")), row["may"], tuple(row["peers"].split(", ")), _ports(row["ports"]))
        for row in matches
        if row is not None
    )


@dataclass(frozen=True)
class Table:
    """The open connections table, with its rows, its own namespace, and the network where it looks up names."""

    rows: tuple[Row, ...]
    own: str
    network: Network

    def connects(self, source: Pod, target: Pod, port: int) -> bool:
        """Return whether the table lists the given connection."""
        return self._lists(source, "connect to", target, port) and self._lists(target, "accept from", source, port)

    def _lists(self, pod: Pod, may: str, peer: Pod, port: int) -> bool:
        rows = (row for row in self.rows if row.may == may and {"any", str(port)} & row.ports)
        return any(self._opens(row, pod, peer) for row in rows)

    def _opens(self, row: Row, pod: Pod, peer: Pod) -> bool:
        return any(
            self._means(entry, pod) and any(self._leads(each, entry, peer) for each in row.peers) for entry in row.pods
        )

    def _leads(self, entry: str, own: str, peer: Pod) -> bool:
        if entry in ("any address", "any address but link-local ones"):
            return True
        return self._means(own if entry == "each other" else entry, peer)

    def _means(self, entry: str, pod: Pod) -> bool:
        match = _PODS.fullmatch(entry)
        if match is None or "/" in (match["name"] or ""):
            return False  # an IP block outside the cluster
        if "any namespace" in entry:
            near = match["key"] is None or match["key"] in self.network.namespaces[pod.namespace]
        else:
            near = pod.namespace == (match["space"] or self.own)
        return near and all(_has(pod.labels, label) for label in _labels(match["name"], match["labels"]))


def _ports(text: str) -> frozenset[str]:
    return frozenset(port for port in text.split(", ") if not port.endswith("/UDP"))


def _labels(name: str | None, labels: str | None) -> Iterator[str]:
    if name:
        yield f"{NAME}={name}"
    yield from re.findall("`([^`]+)`", labels or "")


def _has(labels: Labels, selector: str) -> bool:
    key, assigned, value = selector.partition("=")
    return labels.get(key) == value if assigned else key in labels
