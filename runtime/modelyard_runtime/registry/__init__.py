"""The model registry, including client and server, and the formats, digests and lineage of versions."""
