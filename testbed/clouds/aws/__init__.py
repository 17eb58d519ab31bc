"""An AWS on loopback for the real engine: Pulumi's provider protocol in front, moto's server behind."""
