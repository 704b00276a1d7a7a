"""The five mini-benchmarks: generated problems, fixed splits, and scorers in [0, 1]."""

from reference_impls.benchmarks.arithmetic import Arithmetic
from reference_impls.benchmarks.base import SPLIT_SIZES, Benchmark, Item, Problem
from reference_impls.benchmarks.code import Code
from reference_impls.benchmarks.instructions import Instructions
from reference_impls.benchmarks.qa import QA
from reference_impls.benchmarks.writing import Writing

#: All mini-benchmarks by name, in the order of the tables.
BENCHMARKS: dict[str, Benchmark] = {b.name: b for b in (QA(), Arithmetic(), Code(), Instructions(), Writing())}

__all__ = ["BENCHMARKS", "SPLIT_SIZES", "Benchmark", "Item", "Problem"]
