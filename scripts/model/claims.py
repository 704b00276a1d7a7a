"""Claims of the field (taxonomy/claims.yml): what is said of combining models, by which papers, and how our own
results decide it. A verdict is never written here: `scripts.claims` computes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, TypeAdapter

from scripts.model.named import NamedFile
from scripts.model.paper import Strict, Text
from scripts.model.taxonomy import Texts
from scripts.model.yaml_reader import YamlPath

FILE = Path("taxonomy") / "claims.yml"
#: What a report's `source` says where the figure stands in the summary of the paper's entry.
SUMMARY = "summary"

#: What pools of models differ in, and what a claim may depend on -> (its name, what it is). Numbers are whole points
#: of 100, but for the first two.
FACTORS = {
    "models": ("number of models", "how many models the pool has"),
    "tasks": ("number of tasks", "how many tasks the queries come from"),
    "best": ("score of the best model", "what the best single model reaches alone, in points of 100"),
    "lead": ("lead of the best model", "how far the best single model is above the mean of all, in points"),
    "room": ("room above the best model", "from the best single model to the oracle, in points"),
    "disagreement": ("disagreement", "share of the queries on which the models are not all right or all wrong, in %"),
    "independence": (
        "independence",
        "effective number of independent models as a share of their number, in %",
    ),
}
Factor: TypeAlias = Literal["models", "tasks", "best", "lead", "room", "disagreement", "independence"]

#: What the methods of a pool are held against, beside a method's name -> its name in a sentence.
BASELINES = {
    "best-single": "the best single model",
    "cheapest": "the cheapest model",
    "best-per-task": "the best model of each task",
    "coin": "a coin between two well-chosen models",
    "coin-at-cost": "a coin between two models at the same cost",
    "best-samples": "samples of the best model for the same money",
    "random": "a model drawn at random",
}
Points = Annotated[int, Field(ge=0, le=100)]


class Report(Strict):
    """What one paper reports, quoted with its conditions."""

    paper: Text = Field(description="key of its entry")
    figure: Text = Field(
        description="what it reports, in the Atlas's own words, with the numbers as they stand there"
    )
    conditions: Text = Field(description="of which models, data and comparison that holds")
    source: Text = Field(description="where the figure stands: 'summary' (of the entry), or an address")


class Where(Strict):
    """The pools that a claim speaks of, by one factor."""

    factor: Factor
    at_least: int | None = None
    at_most: int | None = None


class _Test(Strict):
    methods: Texts = Field(description="names of methods, or stage/category for all of one")
    on: Texts = Field(description="recorded:NAME or POOL/BENCHMARK; * stands for any text")
    where: Where | None = None


class GainTest(_Test):
    """The methods' gain over something, pool by pool.

    In each pool a comparison speaks for the claim, against it, or is undecided, by its adjusted interval:
    ``better``: for if it lies above 0, against if it lies below `margin`; ``not-better`` is the reverse;
    ``as-good``: for if it lies above -`margin`, else against if it lies below 0; ``worse`` is the reverse.
    """

    kind: Literal["gain"]
    against: Text = Field(description="a baseline or the name of a method")
    expect: Literal["better", "not-better", "as-good", "worse"] = "better"
    pick: Literal["each", "any"] = Field(
        "each",
        description="each: more than half of a pool's comparisons decide; any: one that speaks for it is enough",
    )
    margin: Points = Field(1, description="what counts as a difference, in points of 100")
    depends: list[Factor] = Field(default=[], description="what the answer may depend on")


class CostTest(_Test):
    """Whether the methods save cost at a quality not below the best single model's.

    A method speaks for the claim where the adjusted interval of its gain lies above -`margin` and it costs less than
    the best single model by `saving` per cent or more. How much it spends is a matter of its threshold: it speaks
    against the claim where the curve of all thresholds is known, and none of its points saves as much and loses less
    than `margin`. One method is enough.
    """

    kind: Literal["cost"]
    saving: Annotated[int, Field(ge=1, le=99)] = Field(description="per cent of the best single model's cost")
    margin: Points = 1
    depends: list[Factor] = []


class RelationTest(_Test):
    """Whether the methods' mean gain over something rises (or falls) with a factor from pool to pool."""

    kind: Literal["relation"]
    against: Text
    factor: Factor
    expect: Literal["rises", "falls"]


Test: TypeAlias = Annotated[GainTest | CostTest | RelationTest, Field(discriminator="kind")]


class Claim(Strict):
    """One claim; its address is its key in the file."""

    claim: Text = Field(description="one sentence in plain English")
    conditions: Text = Field(description="what it is meant for, and what it leaves open")
    stage: Text = Field(description="of the taxonomy: when the models that it speaks of are combined")
    supporters: list[Report] = Field(default=[], alias="for")
    opponents: list[Report] = Field(default=[], alias="against")
    test: Test
    limits: Text | None = Field(None, description="what the test here cannot tell")

    def reports(self) -> Iterator[tuple[str, int, Report]]:
        """(``for`` or ``against``, its place there, the report)."""
        for side, reports in (("for", self.supporters), ("against", self.opponents)):
            yield from ((side, place, report) for place, report in enumerate(reports))


class ClaimsFile(NamedFile[Claim]):
    """The file as far as it could be read."""

    @property
    def claims(self) -> dict[str, Claim]:
        """The claims that have the form, by address."""
        return self.things


_CLAIM = TypeAdapter(Claim)


def read_claims(root: Path) -> ClaimsFile:
    """The claims of the Atlas at `root`; never raises for what is in the file. An Atlas may have none."""
    file = ClaimsFile(root / FILE)
    file.read("claims", _CLAIM, _place)
    return file


def _place(loc: tuple[str | int, ...]) -> YamlPath:
    """Where an error stands in the file: the name of a test's kind is no key there."""
    return (loc[0], *loc[2:]) if loc[:1] == ("test",) and len(loc) > 1 else loc
