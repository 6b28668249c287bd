"""Ids of assets that last."""
