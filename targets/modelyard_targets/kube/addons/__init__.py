"""Add-ons that are installed with Helm."""
