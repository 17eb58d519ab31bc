"""Monitors, alerts, dashboards and notification channels."""
