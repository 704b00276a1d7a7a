"""The five mini-benchmarks: generated problems, fixed splits, and scorers in [0, 1]; and the stream of them all."""

from reference_impls.benchmarks.arithmetic import Arithmetic
from reference_impls.benchmarks.base import SPLIT_SIZES, Benchmark, Item, Problem
from reference_impls.benchmarks.code import Code
from reference_impls.benchmarks.instructions import Instructions
from reference_impls.benchmarks.qa import QA
from reference_impls.benchmarks.stream import Stream
from reference_impls.benchmarks.writing import Writing

#: All mini-benchmarks by name, in the order of the tables.
BENCHMARKS: dict[str, Benchmark] = {b.name: b for b in (QA(), Arithmetic(), Code(), Instructions(), Writing())}
#: The same, and before them the stream of their queries.
ALL: dict[str, Benchmark] = {"stream": Stream(BENCHMARKS), **BENCHMARKS}

__all__ = ["ALL", "BENCHMARKS", "SPLIT_SIZES", "Benchmark", "Item", "Problem"]
