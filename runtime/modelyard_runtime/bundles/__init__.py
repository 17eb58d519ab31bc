"""Bundles: model versions stored as files, for clusters that cannot reach the registry."""
