"""The built-in models: what they are, how they are trained, and their weights."""
