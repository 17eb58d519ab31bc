"""Imitates Azure at its real addresses: Microsoft Entra ID, and roles with conditions in front of Azurite.

Azurite itself checks neither token signatures nor permissions.
"""
