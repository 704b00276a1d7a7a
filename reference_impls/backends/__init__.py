"""Where models come from: the built-in pool, recorded answers, an OpenAI-compatible server, transformers."""
