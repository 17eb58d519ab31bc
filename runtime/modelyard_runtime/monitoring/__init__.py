"""Monitors: the data they read, the metrics they compute, and the actions they take on a breach."""
