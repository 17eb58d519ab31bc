"""The whole system on one machine: one Ray, MLflow on SQLite, files for buckets, and a router for the gateway."""
