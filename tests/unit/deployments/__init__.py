"""Deployments: their life, what is due, photos, and whether a unit left its place."""
