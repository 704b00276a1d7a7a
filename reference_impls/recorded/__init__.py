"""Recorded answers of real LLMs: their generic form, the registry of public sources, fetching and reading them."""

from reference_impls.recorded.form import RecordedQuery, RecordedResponse, Recording, load, save

__all__ = ["RecordedQuery", "RecordedResponse", "Recording", "load", "save"]
