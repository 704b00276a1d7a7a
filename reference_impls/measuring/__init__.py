"""Measuring: metrics of routing, what a pool offers, paired comparisons, and what methods cost in time and memory."""
