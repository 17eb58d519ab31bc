"""Lowering code shared by the clouds: machine offerings and prices, machine choice, node pools and cost."""
