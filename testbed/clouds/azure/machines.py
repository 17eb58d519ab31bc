"""Virtual machine sizes of node pools and nodes.

Source: https://learn.microsoft.com/en-us/azure/virtual-machines/sizes/overview, read 2026-11-27.
"""

from __future__ import annotations

import re

_SIZE = re.compile(r"Standard_[A-Z]{1,3}\d+(-\d+)?[a-z]*(_[A-Z]+\d+)?(_v\d+)?")
_GPUS = {
    r"Standard_NC64as_T4_v3": 4,
    r"Standard_NC(4|8|16)as_T4_v3": 1,
    r"Standard_NC24ads_A100_v4": 1,
    r"Standard_NC48ads_A100_v4": 2,
    r"Standard_NC96ads_A100_v4": 4,
    r"Standard_NC40ads_H100_v5": 1,
    r"Standard_NC80adis_H100_v5": 2,
    r"Standard_NC(6|12|24)s_v3": 0,
    r"Standard_ND96\w*": 8,
}
_V100 = {"6": 1, "12": 2, "24": 4}


def known(size: str) -> bool:
    """Return whether a name is a known size."""
    return _SIZE.fullmatch(size) is not None


def gpus(size: str) -> int:
    """Return the number of NVIDIA GPUs in a size."""
    for pattern, number in _GPUS.items():
        if matched := re.fullmatch(pattern, size):
            return number or _V100[matched[1]]
    return 0
