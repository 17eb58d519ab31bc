"""What several files look at: a project with all components, without settings and with all of them."""

from __future__ import annotations

import pytest

from tests.stacks.aws.programs import Found
from tests.stacks.azure.programs import EVERYTHING, registered_together

SETTINGS = """admins: '["group:00000000-aaaa-bbbb-cccc-0123456789ab"]'
apiClients: '["10.99.0.0/16", "10.98.0.0/16"]'
imageClients: '["198.51.100.0/24"]'
vaultClients: '["198.51.100.0/24"]'
databaseZones: false
encryptionAtHost: true
lockRetention: true"""


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Found]:
    """Register a project with all components, and one with a public API and every setting."""
    public = EVERYTHING.replace('version="1.35"', 'version="1.35", public_access_cidrs=["198.51.100.0/24"]')
    other = public.replace("governance", "compliance").replace("one_zone=True", 'one_zone=True, zones=["2"]')
    other = other.replace("monthly=2000", 'monthly=2000, groups=["other", "other-nodes", "fraud-prod"]')
    return registered_together(
        tmp_path_factory.mktemp("everything"), {"plain": (EVERYTHING, ""), "set": (other, SETTINGS)}
    )


@pytest.fixture
def resources(everything: dict[str, Found]) -> Found:
    """Return the project without settings."""
    return everything["plain"]
