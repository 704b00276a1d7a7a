"""Text measures that methods and scorers share: n-grams, ROUGE-L, chrF, BLEU."""

import math
import re
from collections import Counter
from collections.abc import Sequence

#: Runs of Latin letters and digits as rouge-score has them, which knows no others; Chinese characters and kana one by
#: one, as their words have no blanks between; runs of letters of every other script.
_WORDS = re.compile(
    r"[a-z0-9]+|[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"
    r"|[^\W\d_\u0000-\u024f\u1e00-\u1eff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+"
)


def words(text: str) -> list[str]:
    """Lower-case words and digits, the tokens of ROUGE-L here (of Latin text as rouge-score without stemming).

    >>> words("The 2 owls"), words("Старая сова"), words("猫头鹰")
    (['the', '2', 'owls'], ['старая', 'сова'], ['猫', '头', '鹰'])
    """
    return _WORDS.findall(text.lower())


def symbols_and_words(text: str) -> list[str]:
    """Lower-case words, numbers and single symbols, the tokens of BLEU here.

    >>> symbols_and_words("If x_1>3:")
    ['if', 'x', '_', '1', '>', '3', ':']
    """
    return re.findall(r"[^\W_]+|[^\w\s]|_", text.lower())


def ngrams(tokens: Sequence[str], n: int) -> Counter[tuple[str, ...]]:
    """Counts of the n-grams of a token sequence."""
    return Counter(tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1))


def lcs_length(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest common subsequence: len(b) operations on numbers of len(a) bits (Hyyrö 2004).

    >>> lcs_length("abcd", "bdc"), lcs_length("", "a")
    (2, 0)
    """
    places: dict[str, int] = {}
    for i, x in enumerate(a):
        places[x] = places.get(x, 0) | 1 << i
    # A column of the table of lengths: a bit is 0 where the length grows by one.
    column = every = (1 << len(a)) - 1
    for y in b:
        met = column & places.get(y, 0)
        column = (column + met | column - met) & every
    return len(a) - column.bit_count()


def rouge_l(hypothesis: str, reference: str) -> float:
    """ROUGE-L F1 in [0, 1] on lower-case words (Lin 2004, with beta 1 as in the rouge-score package)."""
    h, r = words(hypothesis), words(reference)
    if not h or not r:
        return 0.0
    common = lcs_length(h, r)
    return 2 * common / (len(h) + len(r))


def rouge_l_table(texts: Sequence[str]) -> list[list[float]]:
    """`rouge_l` of every two of some texts, [n][n]; 0 on the diagonal.

    Each text is held against all before it at once: they lie side by side in one long number, each with a bit behind
    it that takes the carry of its sum, and that is cleared again.

    >>> [[round(x, 2) for x in row] for row in rouge_l_table(["a b c", "a c", "b"])]
    [[0.0, 0.8, 0.5], [0.8, 0.0, 0.0], [0.5, 0.0, 0.0]]
    """
    spelt = [words(text) for text in texts]
    table = [[0.0] * len(texts) for _ in texts]
    places: dict[str, int] = {}
    starts: list[int] = []
    every = end = 0
    for i, tokens in enumerate(spelt):
        column = every
        for y in tokens:
            if met := column & places.get(y, 0):
                column = (column + met | column - met) & every
        for j, start in enumerate(starts):
            size = len(spelt[j])
            common = size - (column >> start & (1 << size) - 1).bit_count()
            if common:
                table[i][j] = table[j][i] = 2 * common / (size + len(tokens))
        for k, x in enumerate(tokens, end):
            places[x] = places.get(x, 0) | 1 << k
        starts.append(end)
        every |= (1 << len(tokens)) - 1 << end
        end += len(tokens) + 1
    return table


def chrf(hypothesis: str, reference: str, order: int = 6, beta: float = 2.0) -> float:
    """chrF in [0, 1]: F-beta of character n-grams without white space, orders 1 to `order` (Popović 2015).

    Precision and recall are averaged over the orders that both texts are long enough for, as sacrebleu does.
    """
    h, r = "".join(hypothesis.split()), "".join(reference.split())
    precision = recall = 0.0
    effective = 0
    for n in range(1, order + 1):
        hyp, ref = ngrams(h, n), ngrams(r, n)
        if not hyp or not ref:
            continue
        overlap = sum((hyp & ref).values())
        precision += overlap / hyp.total()
        recall += overlap / ref.total()
        effective += 1
    if not effective or precision + recall == 0:
        return 0.0
    precision, recall = precision / effective, recall / effective
    return (1 + beta**2) * precision * recall / (beta**2 * precision + recall)


def bleu(hypothesis: str, reference: str, order: int = 4) -> float:
    """Sentence BLEU in [0, 1] with add-one smoothing of the orders above one (Lin and Och 2004), without regard to
    case. Tokens are words, numbers and single symbols, so that formulas and code can be told apart.

    >>> bleu("x > 3", "X > 3"), bleu("x > 3", "x < 3") < 1
    (1.0, True)
    """
    h, r = symbols_and_words(hypothesis), symbols_and_words(reference)
    if not h or not r:
        return 0.0
    log_precision = 0.0
    for n in range(1, order + 1):
        hyp, ref = ngrams(h, n), ngrams(r, n)
        smooth = int(n > 1)
        matches, total = sum((hyp & ref).values()) + smooth, hyp.total() + smooth
        if matches == 0 or total == 0:
            return 0.0
        log_precision += math.log(matches / total) / order
    brevity = min(0.0, 1 - len(r) / len(h))
    return math.exp(brevity + log_precision)


def distinct_n(texts: Sequence[str], n: int = 2) -> float:
    """Share of different n-grams among all n-grams of several answers (Li et al. 2016), in [0, 1]; 0 without any."""
    counts: Counter[tuple[str, ...]] = Counter()
    for text in texts:
        counts.update(ngrams(words(text), n))
    return len(counts) / counts.total() if counts else 0.0
