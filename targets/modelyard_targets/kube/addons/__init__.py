"""Add-ons that a cluster gets by Helm."""
