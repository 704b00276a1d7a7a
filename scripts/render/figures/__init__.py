"""Figures: plain SVG made without a script, and the charts that a page's own script draws."""
