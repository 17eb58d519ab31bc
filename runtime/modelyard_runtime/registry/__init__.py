"""The model registry: its client and server, and the formats, digests and lineage of versions."""
