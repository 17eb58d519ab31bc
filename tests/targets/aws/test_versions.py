"""Tests that each supported Kubernetes version has versions of all add-ons and an end-of-support date."""

from __future__ import annotations

import re
from datetime import date

from modelyard_targets.aws.versions import BEFORE_NODES, default_version, postgresql_version, releases


def test_default_version_is_a_known_release() -> None:
    assert default_version() in releases()


def test_every_release_has_all_addons() -> None:
    for release in releases().values():
        assert set(release.before_nodes()) == set(BEFORE_NODES)
        assert set(release.on_nodes()) == {"coredns", "aws-ebs-csi-driver"}
        assert {**release.before_nodes(), **release.on_nodes()} == release.addons


def test_kube_proxy_matches_the_minor_version() -> None:
    for version, release in releases().items():
        assert release.addons["kube-proxy"].startswith(f"v{version}.")


def test_autoscaler_matches_the_minor_version() -> None:
    """Every Kubernetes version uses the cluster autoscaler for the same minor version."""
    for version, release in releases().items():
        assert release.autoscaler.startswith(f"v{version}.")


def test_node_images_are_pinned() -> None:
    """Every Kubernetes version pins its node image, instead of using the latest one."""
    for release in releases().values():
        assert re.fullmatch(r"v20\d{6}", release.image)


def test_a_newer_version_is_supported_longer() -> None:
    days = [date.fromisoformat(release.supported_until) for release in releases().values()]

    assert days == sorted(days, reverse=True)


def test_postgresql_is_a_major_version() -> None:
    assert postgresql_version().isdecimal()
