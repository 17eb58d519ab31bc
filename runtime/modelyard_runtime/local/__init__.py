"""Runs a whole system on one machine, with one Ray, MLflow on SQLite, folders as buckets, and a router as gateway."""
