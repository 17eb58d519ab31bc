"""Rules about where a system runs: what each mode allows, and in which country a region lies."""

from __future__ import annotations

import pytest

from modelyard.checks.regions import regions
from tests.compiler.checks.asked import codes_in
from tests.specs import VALID_SPEC


def modes(*providers: str) -> str:
    """The valid spec on these targets, in short: `k` is a cluster, `p` a private cloud, `a` AWS, `l` this machine."""
    fields = {
        "k": "provider: kubernetes, residency: eu",
        "p": "provider: kubernetes, residency: eu, tenancy: private-cloud",
        "a": "provider: aws, region: eu-central-1",
        "l": "provider: local",
    }
    shared = "gateway: {class: cilium}, secretStores: {vault: {via: external-secrets, store: vault}}"
    targets = "".join(
        f"    {name}: {{{fields[name]}{', ' + shared if name in 'kp' else ''}}}\n" for name in providers[1:]
    )
    start, end = VALID_SPEC.index("  mode: on-prem\n"), VALID_SPEC.index("stores:\n")
    placement = f"  placement: {{default: {providers[1]}}}\n"
    return f"{VALID_SPEC[:start]}  mode: {providers[0]}\n  targets:\n{targets}{placement}{VALID_SPEC[end:]}"


@pytest.mark.parametrize(
    ("mode", "targets", "expected"),
    [
        ("cloud", "a", []),
        ("cloud", "p", []),
        ("cloud", "ap", []),
        ("cloud", "k", ["E0401"]),
        ("cloud", "ak", ["E0401"]),
        ("on-prem", "k", []),
        ("on-prem", "p", ["E0401"]),
        ("on-prem", "ka", ["E0401"]),
        ("hybrid", "ka", []),
        ("hybrid", "kp", []),
        ("hybrid", "k", ["E0402"]),
        ("hybrid", "a", ["E0402"]),
        ("hybrid", "kal", ["E0401"]),
        ("local", "l", []),
        ("local", "k", ["E0401"]),
    ],
)
def test_modes_against_targets(mode: str, targets: str, expected: list[str]) -> None:
    """The table of design: what each mode allows, and what a hybrid needs."""
    assert codes_in(modes(mode, *targets)) == expected


@pytest.mark.parametrize(
    ("region", "expected"),
    [("eu-central-1", []), ("eu-central-2", ["E0404"]), ("eu-west-2", ["E0404"]), ("eu-nowhere-1", ["E0405"])],
)
def test_cloud_regions_lie_in_a_country(region: str, expected: list[str]) -> None:
    """Zürich and London are called eu, and do not lie in it."""
    assert codes_in(modes("cloud", "a").replace("region: eu-central-1", f"region: {region}")) == expected


def test_regions_name_countries() -> None:
    table = regions()

    assert all(len(country) == 2 for places in table.countries.values() for country in places.values())
    assert table.within("uk", ("gb",))
    assert table.within("de", ("eu",))
    assert not table.within("ch", ("eu",))
