"""What methods with a guarantee promise holds over 1,000 draws of the labelled queries from a known truth.

The share of draws that break the promise may be delta, and three standard errors more by chance. Beside each stands a
rule without a guarantee on the same draws, which breaks the promise far more often: so the test can fail.
"""

import numpy as np

from reference_impls.after_inference import bargain_cascade, conformal_cascade, trust_or_escalate
from reference_impls.core import conformal_quantile, shares

DRAWS = 1000
LEVELS = np.array([1.0, 0.8, 0.6, 0.4, 0.2])
#: How often each confidence comes, and how often such an answer is wrong: 12.4 % at 1.0 and 0.8 together.
COMMON = np.array([0.3, 0.2, 0.2, 0.2, 0.1])
WRONG = np.array([0.06, 0.22, 0.35, 0.5, 0.8])


def allowed(delta: float) -> float:
    """The largest share of broken draws that chance explains."""
    return delta + 3 * float(np.sqrt(delta * (1 - delta) / DRAWS))


def risk(level: float) -> float:
    """Share of wrong answers among those accepted at a threshold, in truth; 0 where none is."""
    accepted = level - 1e-9 <= LEVELS
    return float((COMMON * WRONG)[accepted].sum() / COMMON[accepted].sum()) if accepted.any() else 0.0


def test_trust_or_escalate_keeps_the_risk_of_what_it_accepts() -> None:
    rng, alpha, delta = np.random.default_rng(0), 0.12, 0.1
    broken = careless = accepting = 0
    for _ in range(DRAWS):
        at = rng.choice(len(LEVELS), 200, p=COMMON)
        confidence, wrong = LEVELS[at], (rng.random(200) < WRONG[at]).astype(float)
        level = trust_or_escalate.threshold(confidence, wrong, LEVELS, alpha, delta)
        broken += risk(level) > alpha
        accepting += level <= 1
        seen = [v for v in LEVELS if wrong[confidence >= v].mean() <= alpha]
        careless += risk(min(seen, default=np.inf)) > alpha
    assert broken / DRAWS <= allowed(delta)
    assert accepting / DRAWS > 0.4, "it is no empty promise"
    assert careless / DRAWS > 2 * allowed(delta)


def test_bargain_agrees_with_the_dear_model_as_often_as_it_says() -> None:
    """Of all queries 2, 10.5 and 16 % have a score from 0.5, 0.4 and 0.3 on and differ: only 0.5 keeps 90 %."""
    rng, target, delta = np.random.default_rng(0), 0.9, 0.1
    thresholds = np.array([0.5, 0.4, 0.3])
    share, differs = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.05, 0.85 / 3, 0.275, 0.9])
    lost = np.cumsum(share * differs)[:3]
    broken = careless = accepting = 0
    for _ in range(DRAWS):
        kind = rng.choice(4, 300, p=share)
        scores, differ = np.array([0.5, 0.4, 0.3, 0.2])[kind], rng.random(300) < differs[kind]
        level, _ = bargain_cascade.certified(scores, differ, thresholds, target, delta)
        broken += bool(lost[thresholds >= level].max(initial=0) > 1 - target)
        accepting += level <= 0.5
        seen = [t for t in thresholds if (differ & (scores >= t)).mean() <= 1 - target]
        careless += bool(lost[thresholds >= min(seen, default=np.inf)].max(initial=0) > 1 - target)
    assert broken / DRAWS <= allowed(delta)
    assert accepting / DRAWS > 0.9
    assert careless / DRAWS > 2 * allowed(delta)


def test_conformal_tiers_rarely_answer_wrongly() -> None:
    """Two tiers over one set of queries; what is promised is the mean over draws of training queries and a new one.
    The plain quantile at alpha for each tier answers wrongly more often.
    """
    rng, alpha, k, n = np.random.default_rng(0), 0.2, 5, 19
    wrong = careless = stopped = 0
    for _ in range(DRAWS):
        # How easy a query is for both tiers, and the samples' answers: 0 is right, 1 and 2 are wrong, 1 the likelier.
        ease = rng.beta(2, 1, n + 1)
        answers = np.where(rng.random((2, n + 1, k)) < ease[:, None], 0, rng.choice([1, 1, 1, 2], (2, n + 1, k)))
        told = [[shares([str(a) for a in row]) for row in tier] for tier in answers]
        rivals = np.array([[conformal_cascade.rival(found, "0") for found in tier] for tier in told])
        quantiles = [conformal_quantile(row[:n], alpha / 2) for row in rivals]
        for limits, strict in ((quantiles, True), (np.quantile(rivals[:, :n], 1 - alpha, axis=1), False)):
            first = [conformal_cascade.single(tier[n], q) for tier, q in zip(told, limits, strict=True)]
            answer = next((a for a in first if a is not None), None)
            if strict:
                stopped += answer is not None
                wrong += answer not in (None, "0")
            else:
                careless += answer not in (None, "0")
    assert wrong / DRAWS <= alpha + 3 * np.sqrt(alpha * (1 - alpha) / DRAWS)
    assert stopped / DRAWS > 0.2, "it is no empty promise"
    assert careless > wrong


def test_conformal_sets_hold_the_right_answer_as_often_as_they_say() -> None:
    """With scores that hardly tie the set misses as often as alpha allows and not much less: the bound is tight."""
    rng, alpha, n = np.random.default_rng(0), 0.1, 49
    scores = rng.random((DRAWS, n + 1))
    missed = np.mean([row[n] > conformal_quantile(row[:n], alpha) for row in scores])
    noise = 3 * np.sqrt(alpha * (1 - alpha) / DRAWS)
    assert alpha - 1 / (n + 1) - noise <= missed <= alpha + noise
