"""Monitors, alerts, dashboards, and the channels that alerts go to."""
