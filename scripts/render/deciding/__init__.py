"""Views that help to decide: choose, compare, claims, guides, and the calculator's examples."""
