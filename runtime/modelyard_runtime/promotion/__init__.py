"""Moves aliases to new versions, subject to gates, approvals, soaks and change windows, and records the moves."""
