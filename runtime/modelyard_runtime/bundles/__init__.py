"""Bundles: model versions as files, for clusters that cannot reach the registry."""
