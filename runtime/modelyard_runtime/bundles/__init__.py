"""Bundles: versions of models as files, for places that the registry cannot be reached from."""
