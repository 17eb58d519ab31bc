"""Evaluates alert rules with promtool over time series that a test defines."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from modelyard_targets.kube.placement.context import ANY_PLATFORM
from modelyard_targets.kube.placement.platform import Platform
from tests.observed import rule_object

Object: TypeAlias = dict[str, Any]

REQUESTS = 'ray_serve_num_http_requests_total{namespace="fraud",application="scorer-champion",status_code="%s"}'
"""Ray Serve's metric that counts an application's requests by status."""


class Prometheus:
    """Evaluates a spec's rules over given time series."""

    def __init__(self, promtool: Path, folder: Path) -> None:
        self._promtool, self._folder = promtool, folder

    def check(self, text: str, name: str) -> str:
        """Return the problems that promtool finds in the rules of an object."""
        return self.problems(rule_object(text, name))

    def problems(self, manifest: Object) -> str:
        """Return the problems that promtool finds in the rules of a PrometheusRule."""
        result = self._run("check", "rules", "--lint-fatal", self._rules(manifest))
        return "" if result.returncode == 0 else result.stdout + result.stderr

    def fired_alerts(
        self, text: str, name: str, series: dict[str, str], minutes: int, platform: Platform = ANY_PLATFORM
    ) -> set[tuple[str, ...]]:
        """Return the alerts that fire after `minutes` of `series`, as tuples of name, severity and other labels."""
        return self.firing(rule_object(text, name, platform=platform), series, minutes)

    def firing(self, manifest: Object, series: dict[str, str], minutes: int) -> set[tuple[str, ...]]:
        """Return the alerts of a PrometheusRule that fire, in the same format as `fired_alerts`.

        The generated test expects no alerts, so promtool reports every alert that fires.
        """
        rules, groups = self._rules(manifest), manifest["spec"]["groups"]
        names = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
        test: Object = {
            "interval": "1m",
            "input_series": [{"series": selector, "values": values} for selector, values in series.items()],
            "alert_rule_test": [
                {"eval_time": f"{minutes}m", "alertname": alert, "exp_alerts": []} for alert in sorted(names)
            ],
        }
        path = self._folder / "test.yaml"
        config = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [test]}
        path.write_text(json.dumps(config), encoding="utf-8")
        result = self._run("test", "rules", path)
        alerts = set(_got(result.stdout + result.stderr))
        assert (result.returncode == 0) == (not alerts), result.stdout + result.stderr
        return alerts

    def _rules(self, manifest: Object) -> Path:
        """Write a PrometheusRule's rules to a file as JSON, which Prometheus can parse as YAML."""
        path = self._folder / "rules.yaml"
        path.write_text(json.dumps(manifest["spec"]), encoding="utf-8")
        return path

    def _run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self._promtool, *arguments], capture_output=True, text=True, timeout=120)


def _got(text: str) -> Iterator[tuple[str, ...]]:
    """Yield each alert reported by promtool as a tuple of labels.

    These are its name, severity, objective, window, application, check and site.
    """
    for line in text.split("got:")[1:]:
        for labels in re.findall(r"Labels:\{(.*?)\}", line, re.DOTALL):
            pairs = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            keys = ("alertname", "severity", "slo", "window", "application", "check", "modelyard_site")
            about = (pairs.get(key, "") for key in keys)
            yield tuple(value for value in about if value)
