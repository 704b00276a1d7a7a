"""Recorded answers of real LLMs: their generic form, the registry of public sources, fetching and reading them."""

from reference_impls.recorded.files import load, save
from reference_impls.recorded.form import RecordedQuery, RecordedResponse, Recording

__all__ = ["RecordedQuery", "RecordedResponse", "Recording", "load", "save"]
