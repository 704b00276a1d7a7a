"""Turns an Atlas into a folder of Markdown pages and data files that any Markdown site engine can build."""

from scripts.render.site import Report, render_atlas, render_site

__all__ = ["Report", "render_atlas", "render_site"]
