"""Placements on a cluster: context, platform, charts, and fixed names and ports."""
