"""The model registry: client and server, and the formats, digests and lineage of versions."""
