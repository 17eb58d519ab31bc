"""A Helm repository on loopback. Its small charts are our own, with the names and values of real charts."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
import urllib.error
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TypeAlias

import yaml

from testbed.processes import Processes, free_ports

KnownValues: TypeAlias = "dict[str, KnownValues | None]"
"""The names of the values that a chart accepts, each with the names accepted below it, or None if all are accepted
there.
"""

_TEMPLATE = """apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
automountServiceAccountToken: false
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .Release.Name }}-values
  namespace: {{ .Release.Namespace }}
data:
  values.json: |
    {{ .Values | toJson }}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .Release.Name }}
  namespace: {{ .Release.Namespace }}
  labels:
    app.kubernetes.io/name: {{ .Chart.Name }}
    app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
spec:
  replicas: 1
  selector:
    matchLabels:
      app.kubernetes.io/instance: {{ .Release.Name }}
  template:
    metadata:
      labels:
        app.kubernetes.io/instance: {{ .Release.Name }}
    spec:
      serviceAccountName: {{ .Release.Name }}
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: {{ .Chart.Name }}
          image: registry.local/{{ .Chart.Name }}:{{ .Chart.AppVersion }}
          securityContext:
            allowPrivilegeEscalation: false
            capabilities:
              drop: [ALL]
          resources:
            requests: {cpu: 10m, memory: 16Mi}
            limits: {memory: 16Mi}
"""


class ChartRepository:
    """Serves every chart in charts.json while the `with` block runs.

    `within` is a prefix for the command that starts the server. Each chart renders one Deployment and rejects values
    the real chart doesn't have.
    """

    def __init__(self, folder: Path, within: tuple[str, ...] = ()) -> None:
        self._folder = folder / "repository"
        self._folder.mkdir()
        self._server = Processes(folder, within)
        self._within = within
        self.url = f"http://127.0.0.1:{free_ports(1)[0]}"
        self.versions = _write(self._folder, self.url)

    def __enter__(self) -> ChartRepository:
        port = self.url.rpartition(":")[2]
        server = (sys.executable, "-m", "http.server", "--bind=127.0.0.1", f"--directory={self._folder}", port)
        self._server.start("charts", *server)
        if not self._within:
            self._server.wait_until(self._serves, "the chart repository answers")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.end()

    def _serves(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/index.yaml", timeout=1):
                return True
        except urllib.error.URLError:
            return False


@dataclass(frozen=True, slots=True)
class Chart:
    """A published chart, with its version, its application's version, and the names of its values."""

    name: str
    version: str
    app_version: str
    values: KnownValues


def known() -> tuple[Chart, ...]:
    """Return the charts listed in charts.json."""
    charts = json.loads(Path(__file__).with_name("charts.json").read_text())["charts"]
    return tuple(Chart(name, chart["version"], chart["appVersion"], chart["values"]) for name, chart in charts.items())


def _write(folder: Path, url: str) -> dict[str, str]:
    """Write the chart archives and the repository index, and return each chart's version."""
    entries: dict[str, list[dict[str, object]]] = {}
    charts = known()
    for chart in charts:
        name, version = chart.name, chart.version
        about = {"apiVersion": "v2", "name": name, "version": version, "appVersion": chart.app_version}
        schema = {"$schema": "http://json-schema.org/draft-07/schema#", **_closed(chart.values)}
        archive = _archive(
            (
                (f"{name}/Chart.yaml", yaml.safe_dump(about)),
                (f"{name}/values.yaml", "{}\n"),
                (f"{name}/values.schema.json", json.dumps(schema)),
                (f"{name}/templates/all.yaml", _TEMPLATE),
            )
        )
        file = f"{name}-{version}.tgz"
        (folder / file).write_bytes(archive)
        digest = hashlib.sha256(archive).hexdigest()
        entries[name] = [{**about, "urls": [f"{url}/{file}"], "digest": digest, "created": "2026-11-24T00:00:00Z"}]
    (folder / "index.yaml").write_text(yaml.safe_dump({"apiVersion": "v1", "entries": entries}))
    return {chart.name: chart.version for chart in charts}


def _closed(values: KnownValues) -> dict[str, object]:
    """Return a JSON Schema that allows only the given values and `global`, which Helm reserves."""
    properties = {name: {} if below is None else _closed(below) for name, below in values.items()}
    return {"type": "object", "properties": {"global": {}, **properties}, "additionalProperties": False}


def _archive(files: Iterable[tuple[str, str]]) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for path, text in files:
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()
