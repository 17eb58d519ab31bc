"""Placements on a cluster, covering context, platform, charts, and fixed names and ports."""
