"""Azure at its own addresses: Microsoft Entra ID, and roles with conditions in front of Azurite.

Azurite itself checks neither signatures of tokens nor permissions.
"""
