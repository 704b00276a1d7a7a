"""Libraries that are not always there, and the command that installs each."""

from __future__ import annotations

#: What is imported -> the extra of this package that brings it (pyproject.toml).
EXTRAS = {
    "onnxruntime": "builtin",
    "openai": "live",
    "httpx2": "live",
    "genai_prices": "live",
    "aiohttp": "serve",
    "starlette": "serve",
    "uvicorn": "serve",
    "redis": "redis",
    "faiss": "index",
    "distributed": "distributed",
    "torch": "transformers",
    "transformers": "transformers",
    "onnx": "train",
    **dict.fromkeys(
        ("altair", "bibtexparser", "griffe", "jinja2", "markdown", "mkdocs", "pylatexenc", "rapidfuzz"),
        "site",
    ),
}


class MissingExtraError(ValueError):
    """A library is not installed; the message is one line and names the command that installs it."""


def missing(library: str, what: str) -> str:
    """One line on a library that is not installed.

    >>> missing("onnxruntime", "the built-in models need")
    "the built-in models need onnxruntime: pip install 'llm-ensemble-atlas[builtin]'"
    """
    return f"{what} {library}: {command(library)}"


def command(library: str) -> str:
    """The command that installs a library of `EXTRAS`, or any other."""
    extra = EXTRAS.get(library)
    return f"pip install 'llm-ensemble-atlas[{extra}]'" if extra else f"pip install {library}"


def told(error: ModuleNotFoundError, what: str) -> str | None:
    """An import that failed for want of an extra, in one line; None for any other, which is a fault.

    Args:
        error: of the import, or one raised here with a message of its own.
        what: needs the library: the line's beginning.
    """
    if error.name is None:
        return str(error)
    library = error.name.partition(".")[0]
    return missing(library, what) if library in EXTRAS else None
