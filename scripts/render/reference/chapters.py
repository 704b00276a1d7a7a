"""What the API reference describes: its pages, and the names that stand on each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """Some names under one heading; each is `module.Name` below the package, or `Name` of the public face."""

    heading: str
    names: tuple[str, ...]


@dataclass(frozen=True)
class Chapter:
    """A page of the reference."""

    path: str
    title: str
    lead: str
    imports: str
    parts: tuple[Part, ...]


CHAPTERS = (
    Chapter(
        "reference/index.md",
        "API reference",
        "The few names that a notebook or a program needs: choose models, choose a method, run it on a benchmark or"
        " on recorded answers, or ask it one query.",
        "import reference_impls as atlas",
        (
            Part("Choose", ("pool", "method", "methods", "load_recording")),
            Part("Run", ("run", "Result", "Interval", "PerQuery", "measuring.alone.Comparison")),
            Part("Ask", ("Ensemble", "Answer", "Query", "core.meter.Usage")),
            Part("Kinds of things", ("Models", "Configured", "Price", "running.outcome.Outcome")),
        ),
    ),
    Chapter(
        "reference/core.md",
        "API: writing a method",
        "What a method's file stands on. It imports from here and from NumPy, and from nothing else of the package.",
        "from reference_impls.core import Method, method",
        (
            Part("Register", ("core.registry.method", "core.registry.MethodInfo")),
            Part(
                "Stages",
                (
                    "core.stages.Method", "core.stages.Router", "core.stages.UtilityRouter",
                    "core.stages.ThresholdRouter", "core.stages.Fusion", "core.stages.Aggregator",
                    "core.stages.Cascade", "core.stages.Attempt",
                ),
            ),
            Part("What it is given", ("core.pool.Pool", "core.training.TrainingSet", "core.choice.Choice")),
            Part("What comes back", ("core.model.Generation", "core.answers.answer_of", "core.answers.final_answer")),
        ),
    ),
    Chapter(
        "reference/backends.md",
        "API: models",
        "What a model is to a method, and where models come from. Any class of yours with these members is one.",
        "from reference_impls import OpenAIModel, TransformersModel",
        (
            Part("What a model is", ("core.model.Model", "core.model.TokenModel", "core.model.Session")),
            Part("Models that are there", (
                "OpenAIModel", "TransformersModel", "backends.llama_server.LlamaServerModel",
                "backends.builtin.BuiltinModel",
            )),
            Part("When one does not answer", ("core.model.ModelError",)),
        ),
    ),
    Chapter(
        "reference/recorded.md",
        "API: recorded answers",
        "What models once answered, in the generic form: read, written and chosen from.",
        "from reference_impls.recorded import Recording, load, save",
        (
            Part("The form", ("Recording", "recorded.form.RecordedQuery", "recorded.form.RecordedResponse")),
            Part("Read and write", ("recorded.files.load", "recorded.files.save", "recorded.readers.read_source")),
        ),
    ),
)  # fmt: skip


def address(chapter: Chapter) -> str:
    """Of a page, with '/' behind it."""
    return chapter.path.removesuffix("index.md").removesuffix(".md").rstrip("/") + "/"
