"""The Kubernetes Jobs of pipelines. Schedules, other runs and breaches start them."""
