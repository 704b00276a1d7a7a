"""Measuring: metrics of routing, the comparison with baselines, and what methods cost in time and memory."""
