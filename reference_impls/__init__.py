"""Small, readable reference implementations of LLM-ensemble methods."""
