"""Views of what was measured: benchmarks, recordings, methods, gains and what a pool had to offer."""
