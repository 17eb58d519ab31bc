"""Bundles: model versions as files, for places that cannot reach the registry."""
