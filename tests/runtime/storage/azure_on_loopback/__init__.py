"""Imitates Azure at its real addresses, with Microsoft Entra ID and conditional roles in front of Azurite.

Azurite itself checks neither token signatures nor permissions.
"""
