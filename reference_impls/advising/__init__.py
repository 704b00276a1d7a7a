"""Advice on one's own models: every method that fits a recording, cross-validated, and whether one of them pays."""
