"""Moves aliases to new versions and records the moves, subject to gates, approvals, soaks and change windows."""
