"""Placements on a cluster: context, platform, charts, fixed names and ports."""
