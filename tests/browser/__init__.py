"""What a reader does with the built site, in a real browser."""
