"""Monitors: what they look at, what they measure, and what follows a breach."""
