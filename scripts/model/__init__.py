"""What an Atlas is made of: papers, the taxonomy and the vocabulary, and how they are read from disk."""

from scripts.model.corpus import Corpus, Entry
from scripts.model.paper import Paper
from scripts.model.taxonomy import Category, Family, Stage, Taxonomy
from scripts.model.vocabulary import Vocabulary

__all__ = ["Category", "Corpus", "Entry", "Family", "Paper", "Stage", "Taxonomy", "Vocabulary"]
