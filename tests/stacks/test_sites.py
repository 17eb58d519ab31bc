"""Tests that a single program deploys each site in a group, using values from the site's stack settings."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from modelyard.emit import emit
from tests.examples import of_sites
from tests.stacks.programs import Refused, Registration, config_map, of_type, project, registrations

SITES = ("shop-001", "shop-107")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the project that all shops share."""
    root = tmp_path_factory.mktemp("shelf")
    for stack in of_sites().compiled().stacks:
        for file in emit(stack):
            path = root / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(file.render())
    return root / "default" / "shops" / "workloads"


@pytest.fixture(scope="module")
def registered(folder: Path) -> dict[str, list[Registration]]:
    """Return the registered resources of two shops."""
    return {site: registrations(folder / f"Pulumi.default.{site}.yaml")[0] for site in SITES}


def test_no_placeholder_reaches_a_cluster(registered: dict[str, list[Registration]]) -> None:
    for resources in registered.values():
        assert len(resources) > 30
        assert "${site" not in json.dumps(resources)


def test_each_site_gets_its_own_values(registered: dict[str, list[Registration]]) -> None:
    """Images, addresses and labels in a site's manifests and charts have the site's own values."""
    texts = {site: json.dumps(resources) for site, resources in registered.items()}

    for own, other in (("graz", "villach"), ("10.1.0.0/24", "10.4.0.0/24"), ("shop-001", "shop-107")):
        assert own in texts["shop-001"]
        assert other not in texts["shop-001"]
        assert other in texts["shop-107"]
        assert own not in texts["shop-107"]


def test_sites_of_different_kinds_get_different_manifests(registered: dict[str, list[Registration]]) -> None:
    """Unlike the first shop, the second has two machines and an override."""
    quotas = [_only(of_type(resources, "kubernetes:core/v1:ResourceQuota")) for resources in registered.values()]
    servers = [_only(of_type(resources, "kubernetes:ray.io/v1:RayService")) for resources in registered.values()]

    assert [quota["inputs"]["spec"]["hard"]["requests.cpu"] for quota in quotas] == ["8", "16"]
    assert ["acme.example/box" in server["inputs"]["metadata"]["annotations"] for server in servers] == [False, True]


def test_description_and_server_agree_on_the_revision(registered: dict[str, list[Registration]]) -> None:
    """A server waits for the description with its own digest, which depends on the site's values."""
    revisions: list[str] = []
    for resources in registered.values():
        maps = of_type(resources, "kubernetes:core/v1:ConfigMap")
        described = next(each for each in maps if each["name"].endswith("/shelf-description"))
        entry = json.loads(described["inputs"]["data"]["workload.json"])["applications"]["shelf-live"]
        server = _only(of_type(resources, "kubernetes:ray.io/v1:RayService"))
        (application,) = yaml.safe_load(server["inputs"]["spec"]["serveConfigV2"])["applications"]
        assert application["args"]["digest"] == entry["revision"]
        revisions.append(entry["revision"])

    assert len(set(revisions)) == 2
    assert len({revision.partition("-")[0] for revision in revisions}) == 1


def test_both_sites_have_the_same_resources(registered: dict[str, list[Registration]]) -> None:
    first, second = (
        [(each["type"], each["name"]) for each in resources if each["type"] != "pulumi:pulumi:Stack"]
        for resources in registered.values()
    )

    assert first == second


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ("context: here", "choose a site of shops"),
        ('context: here\nsite: {name: shop-1, gate: "a\\"}b"}', "gate in the setting `site` may contain only letters"),
        ("context: here\nsite: {name: shop-1}", "the stack's setting `site` has no value gate"),
    ],
)
def test_unusable_values_are_refused(tmp_path: Path, settings: str, problem: str) -> None:
    program = """
cluster = kubernetes.Cluster("tiny")
kubernetes.Manifests("m", cluster=cluster, site=kubernetes.Site("shops"), files=["a.yaml"])
"""
    tiny = project(tmp_path / "tiny", program, [("a.yaml", config_map("'gate-${site.gate}'"))], settings)

    with pytest.raises(Refused, match=problem):
        registrations(tiny)


def _only(resources: list[Registration]) -> Registration:
    (resource,) = resources
    return resource
