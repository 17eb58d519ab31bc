"""Lowering code shared by the clouds, including machine offerings, prices and choice, node pools and cost."""
