"""One endpoint in front of one's own models: it chooses, asks, falls back, notes its decisions and learns from
feedback.
"""
