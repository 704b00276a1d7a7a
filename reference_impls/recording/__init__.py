"""Asking one's own models one's own prompts, and keeping what they answer in the recorded form."""
