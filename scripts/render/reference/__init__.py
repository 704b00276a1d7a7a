"""The API reference, made from the docstrings and signatures of the package."""
