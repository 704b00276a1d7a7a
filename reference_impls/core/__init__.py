"""What methods stand on. A method file imports from here and from nowhere else in the package."""

from reference_impls.core.answers import answer_of, final_answer, normalise
from reference_impls.core.bandits import LinearArms, chances_of_largest, with_constant
from reference_impls.core.bounds import betting_wealth, binomial_cdf, conformal_quantile, rejected_in_sequence
from reference_impls.core.choice import Choice, confidence, counts, said
from reference_impls.core.council_prompts import (
    REVIEW_COUNTS,
    chairman_prompt,
    compare_prompt,
    debate_prompt,
    preside,
)
from reference_impls.core.decoding import (
    NEVER,
    Segment,
    TextSession,
    common_boundary,
    leading,
    token_bytes,
    token_ids,
    unwritten,
    write_segment,
    write_until,
)
from reference_impls.core.embedding import Embedder, LatentEmbedder, Reduction, Vectors, unit
from reference_impls.core.handover import Handover, entropy
from reference_impls.core.index import Neighbours
from reference_impls.core.learn import (
    Adam,
    KernelMean,
    Logistic,
    Ridge,
    apart,
    held_out_rows,
    kmeans,
    log_softmax,
    ridge_by_leave_one_out,
    sigmoid,
    softmax,
    squared_distances,
    threshold_between,
    threshold_for_quality,
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
from reference_impls.core.network import Network
from reference_impls.core.pool import Pool
from reference_impls.core.preferences import read_preference
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
from reference_impls.core.sampled import RIGHT, SampledCascade, shares
from reference_impls.core.speculation import Speculative, draw, heated, verify
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
from reference_impls.core.stemming import stem
from reference_impls.core.suggest import nearest
from reference_impls.core.text import bleu, chrf, distinct_n, lcs_length, rouge_l, rouge_l_table, words
from reference_impls.core.training import TrainingSet, known_costs
from reference_impls.core.verifier import Verifier
from reference_impls.core.vocabulary import OneVocabulary

__all__ = [
    "DRAFT_COUNTS", "NEVER", "REPLY_TOKENS", "REVIEW_COUNTS", "RIGHT", "Adam", "Aggregator", "Attempt", "Cascade",
    "Choice", "Dress", "Embedder", "Floats", "Fusion", "Generation", "Handover", "Joint", "KernelMean",
    "LatentEmbedder", "LinearArms", "Logistic", "Logits", "Meter", "Method", "MethodInfo", "Model", "ModelError",
    "Neighbours", "Network", "NoParameters", "OneVocabulary", "Pool", "Price", "Query", "Reduction", "Ridge",
    "Router", "SampledCascade", "Segment", "Session", "Speculative", "TextSession", "ThresholdParameters",
    "ThresholdRouter", "TokenModel", "TrainingSet", "Usage", "UtilityRouter", "Vectors", "Verifier", "answer_of",
    "apart", "betting_wealth", "billed", "binomial_cdf", "bleu", "bootstrap_interval", "chairman_prompt",
    "chances_of_largest", "check_prompt", "choose_prompt", "chrf", "common_boundary", "compare_prompt",
    "confidence", "conformal_quantile", "cost_of", "counts", "debate_prompt", "distinct_n", "drafts_of", "draw",
    "entropy", "final_answer", "fuse", "fuse_prompt", "grade_prompt", "heated", "held_out_rows", "kmeans",
    "known_costs", "lcs_length", "leading", "log_softmax", "method", "nearest", "normalise", "preside",
    "rank_prompt", "read_choice", "read_grade", "read_preference", "read_ranking", "read_verdict", "registered",
    "rejected_in_sequence", "ridge_by_leave_one_out", "rouge_l", "rouge_l_table", "said", "shares", "sigmoid",
    "softmax", "squared_distances", "stem", "threshold_between", "threshold_for_quality", "threshold_for_share",
    "token_bytes", "token_ids", "unit", "unwritten", "verify", "with_constant", "words", "write_segment",
    "write_until",
]  # fmt: skip
