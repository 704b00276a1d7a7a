"""Views of papers and words: entries, their relations, trends, what a reader may look for, the glossary."""
