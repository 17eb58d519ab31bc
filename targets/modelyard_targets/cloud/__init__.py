"""Lowering shared by clouds: priced machines, the choice among them, node pools, and their cost."""
