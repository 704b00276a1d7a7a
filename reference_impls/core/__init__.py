"""What methods stand on. A method file imports from here and from nowhere else in the package."""

from reference_impls.core.answers import answer_of, final_answer, normalise
from reference_impls.core.choice import Choice, confidence, counts, said
from reference_impls.core.decoding import (
    NEVER,
    Segment,
    TextSession,
    leading,
    token_bytes,
    token_ids,
    unwritten,
    write_segment,
    write_until,
)
from reference_impls.core.embedding import Embedder, LatentEmbedder, Reduction, Vectors
from reference_impls.core.index import Neighbours
from reference_impls.core.learn import (
    Adam,
    Logistic,
    Ridge,
    kmeans,
    log_softmax,
    sigmoid,
    softmax,
    squared_distances,
    threshold_for_share,
)
from reference_impls.core.meter import Meter, Usage
from reference_impls.core.model import (
    Dress,
    Floats,
    Generation,
    Logits,
    Model,
    ModelError,
    Price,
    Session,
    TokenModel,
    billed,
    cost_of,
)
from reference_impls.core.pool import Pool
from reference_impls.core.prompts import (
    DRAFT_COUNTS,
    REPLY_TOKENS,
    check_prompt,
    choose_prompt,
    drafts_of,
    fuse,
    fuse_prompt,
    grade_prompt,
    rank_prompt,
)
from reference_impls.core.query import Query
from reference_impls.core.registry import MethodInfo, method, registered
from reference_impls.core.replies import read_choice, read_grade, read_ranking, read_verdict
from reference_impls.core.stages import (
    Aggregator,
    Attempt,
    Cascade,
    Fusion,
    Joint,
    Method,
    NoParameters,
    Router,
    ThresholdParameters,
    ThresholdRouter,
    UtilityRouter,
)
from reference_impls.core.stats import bootstrap_interval
from reference_impls.core.suggest import nearest
from reference_impls.core.text import bleu, chrf, distinct_n, lcs_length, rouge_l, words
from reference_impls.core.training import TrainingSet, known_costs

__all__ = [
    "DRAFT_COUNTS", "NEVER", "REPLY_TOKENS", "Adam", "Aggregator", "Attempt", "Cascade", "Choice", "Dress",
    "Embedder", "Floats", "Fusion", "Generation", "Joint", "LatentEmbedder", "Logistic", "Logits", "Meter",
    "Method", "MethodInfo", "Model", "ModelError", "Neighbours", "NoParameters", "Pool", "Price", "Query",
    "Reduction", "Ridge", "Router", "Segment", "Session", "TextSession", "ThresholdParameters", "ThresholdRouter",
    "TokenModel", "TrainingSet", "Usage", "UtilityRouter", "Vectors", "answer_of", "billed", "bleu",
    "bootstrap_interval", "check_prompt", "choose_prompt", "chrf", "confidence", "cost_of", "counts",
    "distinct_n", "drafts_of", "final_answer", "fuse", "fuse_prompt", "grade_prompt", "kmeans", "known_costs",
    "lcs_length", "leading", "log_softmax", "method", "nearest", "normalise", "rank_prompt", "read_choice",
    "read_grade", "read_ranking", "read_verdict", "registered", "rouge_l", "said", "sigmoid", "softmax",
    "squared_distances", "threshold_for_share", "token_bytes", "token_ids", "unwritten", "words", "write_segment",
    "write_until",
]  # fmt: skip
