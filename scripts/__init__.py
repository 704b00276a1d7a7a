"""The tools over the Atlas's data: read, check, export and render it."""
