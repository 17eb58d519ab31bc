"""Runs checkov and kube-score on manifests, Terraform plans and templates, and normalizes their findings."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from modelyard.writers.yaml_text import documents
from testbed import environments, parts, places
from tests.real.scanners.deployed import Deployed, template_of
from tests.real.scanners.planned import Planned, plan_of
from tests.real.scanners.scanned import Scanned

MANIFESTS = "manifests.yaml"
PLAN = "plan.json"
TEMPLATE = "azuredeploy.json"
CHECKOV_LIMIT_S = 300
KUBE_SCORE_LIMIT_S = 60
OPTIONAL = (
    "container-resource-requests-equal-limits",
    "container-ephemeral-storage-request-equals-limit",
    "container-ports-check",
    "container-seccomp-profile",
)
"""Checks of kube-score that are disabled by default."""

_PLANS, _TEMPLATES = "plans", "templates"
_FINE = 10  # kube-score's best grade


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """A scanner's finding about an object. `where` describes the object and where it comes from."""

    tool: str
    check: str
    object: str
    where: str
    message: str

    def __str__(self) -> str:
        return f"{self.tool} {self.check} {self.object} ({self.where}): {self.message}"


def findings(
    systems: Mapping[str, tuple[Scanned, ...]],
    plans: Mapping[str, tuple[Planned, ...]],
    templates: Mapping[str, tuple[Deployed, ...]],
    folder: Path,
) -> list[Finding]:
    """Write each system's manifests, plans and templates to a folder, and return all findings about them."""
    for name, objects in systems.items():
        (folder / name).mkdir(parents=True)
        (folder / name / MANIFESTS).write_text(documents([item.manifest for item in objects]), encoding="utf-8")
    for name, resources in plans.items():
        (folder / _PLANS / name).mkdir(parents=True)
        (folder / _PLANS / name / PLAN).write_text(json.dumps(plan_of(resources)), encoding="utf-8")
    for name, deployed in templates.items():
        (folder / _TEMPLATES / name).mkdir(parents=True)
        (folder / _TEMPLATES / name / TEMPLATE).write_text(json.dumps(template_of(deployed)), encoding="utf-8")
    return sorted([*_checkov(systems, plans, templates, folder), *_kube_score(systems, folder)])


def _checkov(
    systems: Mapping[str, tuple[Scanned, ...]],
    plans: Mapping[str, tuple[Planned, ...]],
    templates: Mapping[str, tuple[Deployed, ...]],
    folder: Path,
) -> Iterator[Finding]:
    """Run checkov offline, and only once for all files because it starts slowly."""
    python = environments.environment(environments.CHECKOV)
    command = [str(python), "-m", "checkov.main", "--directory", str(folder), "--framework"]
    command += ["kubernetes"] if systems else []
    command += ["terraform_plan"] if plans else []
    command += ["arm"] if templates else []
    command += ["--output", "json", "--compact", "--quiet", "--skip-download", "--skip-results-upload"]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=CHECKOV_LIMIT_S, cwd=folder, env=_quiet_environment(folder)
    )
    if result.returncode not in {0, 1} or not result.stdout.startswith(("{", "[")):
        raise RuntimeError(f"checkov failed:\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    answer = cast("dict[str, Any] | list[dict[str, Any]]", json.loads(result.stdout))
    for report in answer if isinstance(answer, list) else [answer]:
        assert report["summary"]["parsing_errors"] == 0, report["results"].get("parsing_errors")
        for failure in report["results"]["failed_checks"]:
            if report["check_type"] == "kubernetes":
                yield _of_checkov(failure, systems)
            else:
                yield _of_resource(failure, plans if report["check_type"] == "terraform_plan" else templates)


def _quiet_environment(home: Path) -> dict[str, str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("BC_", "PRISMA_"))}
    return {**variables, "HOME": str(home), "CHECKOV_RUN_SCA_PACKAGE_SCAN": "false", "LOG_LEVEL": "ERROR"}


def _of_checkov(failure: dict[str, Any], systems: Mapping[str, tuple[Scanned, ...]]) -> Finding:
    system = Path(failure["file_path"]).parts[1]
    kind, _, name = str(failure["resource"]).partition(".")
    addresses = {
        (scanned.manifest["kind"], f"{scanned.namespace}.{scanned.name}"): scanned.address
        for scanned in systems[system]
    }
    return Finding("checkov", failure["check_id"], addresses[kind, name], system, failure["check_name"])


def _of_resource(
    failure: dict[str, Any], projects: Mapping[str, tuple[Planned, ...]] | Mapping[str, tuple[Deployed, ...]]
) -> Finding:
    name = Path(failure["file_path"]).parts[-2]
    addresses = {resource.plan_address: resource.address for resource in projects[name]}
    return Finding("checkov", failure["check_id"], addresses[failure["resource"]], name, failure["check_name"])


def _kube_score(systems: Mapping[str, tuple[Scanned, ...]], folder: Path) -> list[Finding]:
    """Run kube-score for each system separately, because it checks how objects select each other."""
    return [
        finding for name, objects in systems.items() for finding in _scored(name, objects, folder / name / MANIFESTS)
    ]


def _scored(system: str, objects: tuple[Scanned, ...], manifests: Path) -> Iterator[Finding]:
    command = [str(places.binary("kube-score")), "score", "--output-format", "json", *_of_version()]
    command += [part for check in OPTIONAL for part in ("--enable-optional-test", check)]
    command += ["--disable-ignore-checks-annotations", str(manifests)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=KUBE_SCORE_LIMIT_S)
    if result.returncode not in {0, 1} or not result.stdout.startswith("["):
        raise RuntimeError(f"kube-score failed:\n{result.stdout[-2000:]}{result.stderr[-2000:]}")
    addresses = {(entry.manifest["kind"], entry.namespace, entry.name): entry.address for entry in objects}
    for entry in cast("list[dict[str, Any]]", json.loads(result.stdout)):
        described = entry["object_meta"]
        address = addresses[entry["type_meta"]["kind"], described.get("namespace", ""), described["name"]]
        for check in entry["checks"]:
            if check["grade"] < _FINE and not check["skipped"]:
                message = "; ".join(f"{comment['path']} {comment['summary']}".strip() for comment in check["comments"])
                yield Finding("kube-score", check["check"]["id"], address, system, message)


def _of_version() -> list[str]:
    """Return the kube-score option for the Kubernetes version used in other tests, e.g. `v1.36`."""
    return ["--kubernetes-version", parts.KUBERNETES.rpartition(".")[0]]
