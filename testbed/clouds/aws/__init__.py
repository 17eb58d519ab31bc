"""AWS on loopback for the real Pulumi engine, with Pulumi's provider protocol in front of a moto server."""
