"""Private DNS zones and their records."""

from __future__ import annotations

from testbed.clouds.gcp.api import Api, at, refused, relative
from testbed.clouds.gcp.kinds import Kind, default_naming
from testbed.clouds.gcp.network import NETWORK
from testbed.clouds.shared.values import Values

ZONE = "gcp:dns/managedZone:ManagedZone"
RECORD = "gcp:dns/recordSet:RecordSet"

_DNS = "dns.googleapis.com"
_URL = "privateVisibilityConfig.networks.networkUrl"


def _zone(api: Api, values: Values, before: Values) -> Values:
    return {"managedZoneId": before.get("managedZoneId") or str(api.serial()), "nameServers": []}


def _alone(api: Api, values: Values) -> None:
    """Reject a second zone with the same name in a network.

    Source: https://docs.cloud.google.com/dns/docs/zones, read 2026-11-27.
    """
    if not str(values["dnsName"]).endswith("."):
        raise refused(400, f"Invalid value for 'entity.managedZone.dnsName': '{values['dnsName']}', invalid")
    networks = {relative(str(url)) for url in at(values, _URL)}
    for other in api.all(ZONE).values():
        same = other["dnsName"] == values["dnsName"] and other["name"] != values["name"]
        if same and networks & {relative(str(url)) for url in at(other, _URL)}:
            raise refused(
                409, f"The zone '{other['name']}' has the name '{values['dnsName']}' in this network, alreadyExists"
            )


def _empty(api: Api, identifier: str, values: Values) -> None:
    """Refuse to delete a zone with records: dns.v1, managedZones.delete, read 2026-11-27."""
    if any(record["managedZone"] == values["name"] for record in api.all(RECORD).values()):
        raise refused(
            400,
            f"The resource named '{values['name']}' cannot be deleted because it contains one or more resource"
            " records., containerNotEmpty",
        )


def _in_its_zone(api: Api, values: Values) -> None:
    """Reject records outside their zone and invalid CNAME records.

    Source: https://docs.cloud.google.com/dns/docs/records-overview, read 2026-11-27.
    """
    zone = api.find(ZONE, api.filled(KINDS[ZONE].path, {"name": values["managedZone"]})) or {}
    name = str(values["name"])
    if name != zone["dnsName"] and not name.endswith(f".{zone['dnsName']}"):
        raise refused(400, f"Invalid value for 'entity.change.additions[0].name': '{name}', invalid")
    if values["type"] == "CNAME" and (len(values["rrdatas"]) != 1 or name == zone["dnsName"]):
        raise refused(400, f"The CNAME record '{name}' has one value and is not the zone's own name., invalid")


KINDS = {
    ZONE: Kind(
        "projects/{project}/managedZones/{name}",
        _DNS,
        fixed=frozenset({"name", "dnsName", "visibility", "project"}),
        naming=default_naming(),
        labels="labels",
        client=frozenset({"forceDestroy"}),
        assign=_zone,
        references={_URL: NETWORK},
        rules=(_alone,),
        guards=(_empty,),
    ),
    RECORD: Kind(
        "projects/{project}/managedZones/{managedZone}/rrsets/{name}/{type}",
        _DNS,
        fixed=frozenset({"name", "managedZone", "project"}),
        references={"managedZone": ZONE},
        rules=(_in_its_zone,),
    ),
}
