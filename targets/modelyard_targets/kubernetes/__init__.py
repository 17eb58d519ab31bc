"""The target `kubernetes`: any conformant cluster that is there already; on-prem, private cloud, edge."""

from __future__ import annotations

from modelyard.target import Target
from modelyard_targets.kubernetes.catalog import CATALOG
from modelyard_targets.kubernetes.check import check
from modelyard_targets.kubernetes.hardware import choose
from modelyard_targets.kubernetes.lower import lower, objects
from modelyard_targets.kubernetes.pins import pins_of

TARGET = Target(
    name="kubernetes",
    catalog=CATALOG,
    choose=choose,
    check=check,
    lower=lower,
    objects=objects,
    pins=pins_of,
)
