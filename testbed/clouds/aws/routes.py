"""Route tables, their routes, and the subnets that use them."""

from __future__ import annotations

import zlib
from typing import Any

from testbed.clouds.aws import ec2
from testbed.clouds.aws.api import Api
from testbed.clouds.aws.record import Record
from testbed.clouds.aws.rules import cidr_block
from testbed.clouds.shared.values import Values, lower, picked

_DESTINATIONS = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId")
_WAYS = ("gatewayId", "natGatewayId", "networkInterfaceId", "transitGatewayId", "vpcPeeringConnectionId")


def _create_table(api: Api, values: Values) -> str:
    response = api.call(
        "ec2",
        "create_route_table",
        VpcId=values["vpcId"],
        TagSpecifications=ec2.specification("route-table", values),
    )
    resource_id = str(response["RouteTable"]["RouteTableId"])
    _update_table(api, resource_id, {}, values)
    return resource_id


def _update_table(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    """Replace the routes declared inside a table.

    Their property names differ from those of separate routes.
    """
    for route in olds.get("routes") or ():
        api.call("ec2", "delete_route", RouteTableId=resource_id, DestinationCidrBlock=route["cidrBlock"])
    for route in values.get("routes") or ():
        api.call(
            "ec2",
            "create_route",
            RouteTableId=resource_id,
            DestinationCidrBlock=route["cidrBlock"],
            **picked(route, *_WAYS),
        )


def _read_table(api: Api, resource_id: str, values: Values) -> Values | None:
    table = ec2.described(api, "describe_route_tables", "RouteTableIds", resource_id)
    added = [route for route in table["Routes"] if route.get("Origin") == "CreateRoute"]
    return {
        "arn": api.arn("ec2", f"route-table/{resource_id}"),
        "ownerId": api.account,
        "vpcId": table["VpcId"],
        **({"routes": [_inside(route) for route in added]} if "routes" in values else {}),
        "tagsAll": ec2.tags_of(table),
    }


def _inside(route: Values) -> Values:
    ways = lower({way: route[way] for way in map(_big, _WAYS) if way in route})
    return {"cidrBlock": route.get("DestinationCidrBlock"), **ways}


def _big(name: str) -> str:
    return name[:1].upper() + name[1:]


def _delete_table(api: Api, resource_id: str, values: Values) -> None:
    api.call("ec2", "delete_route_table", RouteTableId=resource_id)


def _destination(values: Values) -> str:
    return str(next(values[name] for name in _DESTINATIONS if values.get(name)))


def _create_route(api: Api, values: Values) -> str:
    api.call("ec2", "create_route", **picked(values, "routeTableId", *_DESTINATIONS, *_WAYS, "vpcEndpointId"))
    return f"r-{values['routeTableId']}{zlib.crc32(_destination(values).encode())}"


def _update_route(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    api.call("ec2", "replace_route", **picked(values, "routeTableId", *_DESTINATIONS, *_WAYS))


def _read_route(api: Api, resource_id: str, values: Values) -> Values | None:
    table = ec2.described(api, "describe_route_tables", "RouteTableIds", values["routeTableId"])
    destination = _destination(values)
    for route in table["Routes"]:
        if destination in (route.get(_big(name)) for name in _DESTINATIONS):
            fields = {_big(name): route[_big(name)] for name in (*_DESTINATIONS, *_WAYS) if route.get(_big(name))}
            return {"routeTableId": values["routeTableId"], "state": route.get("State"), **lower(fields)}
    return None


def _delete_route(api: Api, resource_id: str, values: Values) -> None:
    api.call("ec2", "delete_route", **picked(values, "routeTableId", *_DESTINATIONS))


def _create_use(api: Api, values: Values) -> str:
    response = api.call("ec2", "associate_route_table", **picked(values, "routeTableId", "subnetId", "gatewayId"))
    return str(response["AssociationId"])


def _use(api: Api, values: Values) -> Any:
    table = ec2.described(api, "describe_route_tables", "RouteTableIds", values["routeTableId"])
    for use in table["Associations"]:
        if values.get("subnetId") == use.get("SubnetId") and values.get("gatewayId") == use.get("GatewayId"):
            return use
    return None


def _read_use(api: Api, resource_id: str, values: Values) -> Values | None:
    use = _use(api, values)
    return None if use is None else lower({k: use[k] for k in ("RouteTableId", "SubnetId", "GatewayId") if use.get(k)})


def _update_use(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    use = _use(api, olds)
    api.call(
        "ec2",
        "replace_route_table_association",
        AssociationId=use["RouteTableAssociationId"],
        RouteTableId=values["routeTableId"],
    )


def _delete_use(api: Api, resource_id: str, values: Values) -> None:
    if use := _use(api, values):
        api.call("ec2", "disassociate_route_table", AssociationId=use["RouteTableAssociationId"])


RECORDS = {
    "aws:ec2/routeTable:RouteTable": Record(
        _create_table, _read_table, _delete_table, _update_table, ec2.tag, fixed=frozenset({"vpcId"})
    ),
    "aws:ec2/route:Route": Record(
        _create_route,
        _read_route,
        _delete_route,
        _update_route,
        fixed=frozenset({"routeTableId", *_DESTINATIONS}),
        rules=(cidr_block(0, 32, "destinationCidrBlock"),),
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": Record(
        _create_use, _read_use, _delete_use, _update_use, fixed=frozenset({"subnetId", "gatewayId"})
    ),
}
