"""The targets by the name of their provider."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelyard.target import Target
from modelyard_targets import kubernetes
from modelyard_targets.later import REASONS, later

TARGETS: Final[Mapping[str, Target]] = {**{name: later(name) for name in REASONS}, "kubernetes": kubernetes.TARGET}
