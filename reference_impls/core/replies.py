"""Readers of what models reply to the prompts in `core.prompts`, in whatever dress they write it.

None means that a reply cannot be read, which is neither a bad grade nor a no. So it is with replies that contradict
themselves, hedge, repeat the scale or answer the question instead of judging its answer: a reader that guessed would
make a judge of a model that does not judge.
"""

import re
import unicodedata
from collections.abc import Iterable

#: Characters of a reply that are read; more is no reply.
LONGEST = 10_000

_THOUGHT = re.compile(r"<think>.*?(?:</think>|\Z)", re.IGNORECASE | re.DOTALL)
#: Asterisks and underscores that emphasise; between digits or blanks they multiply.
_EMPHASIS = re.compile(r"(?<![\w*])[*_]{1,3}(?=[^\s*_])|(?<=[^\s*_])[*_]{1,3}(?![\w*])|[`#]|(?:^|(?<=\n))>")
_BOX = re.compile(r"\\(?:boxed|text|textbf|mathrm)\s*\{([^{}]*)\}|\$")


def _plain(reply: str) -> str:
    """A reply without a model's thoughts, emphasis and LaTeX, full-width signs as plain ones."""
    text = unicodedata.normalize("NFKC", _THOUGHT.sub("", reply[:LONGEST])).rpartition("</think>")[2]
    return _EMPHASIS.sub("", _BOX.sub(r"\1", text.replace("’", "'"))).strip()


def _one(values: Iterable[int]) -> int | None:
    """The value that all share; None if there is none or more than one."""
    different = set(values)
    return different.pop() if len(different) == 1 else None


_NAMES = (
    r"(?:grade|score|rating|mark|correctness|accuracy|quality|likelihood|\[result\]|note|bewertung|punktzahl|nota|puntuación|calificación|puntaje|punteggio|voto|оценка"
    r"|评分|得分|分数|打分|評価|評点|点数|スコア|점수|평점)(?!\w|'s)"
)
_OF_FIVE = r"\s*(?:/|out of|of|sur|von|de|su|из|점 만점에)\s*(?:5|five)(?!\w)"
_POINTS = (
    r"\s*(?:stars?|points?|punkte?n?|sterne?n?|estrellas?|puntos?|pontos?|punti|балл\w*"
    r"|分(?!钟|鐘)|点|星|점)(?![a-z])"
)
#: "1 to 5", "1 (wrong) to 5 (right)", "1 = wrong": the scale, not a grade.
_SCALE = re.compile(
    r"(?<![\w.])[\[(]?1(?:\s*\([^()\n]{0,40}\))?\s*(?:-|–|—|~|to|through|bis|à|до|到|至|から)\s*5(?![\w.])"
    r"(?:\s*\([^()\n]{0,40}\))?[\])]?|(?<!\S)[1-5]\s*=\s*[^\W\d][^,;.\n]*"
)
#: A scale that is not ours.
_OTHER_SCALE = re.compile(
    r"(?:/|out of|sur|von|scale of|(?<![\w.])[01]\s*(?:-|–|—|to))\s*(?:10|20|100)(?!\w)", re.IGNORECASE
)
_DIGIT = re.compile(r"(?<![A-Za-z0-9_.,/+*×÷^€£%-])[1-5](?:\.0+)?(?![A-Za-z0-9_%])")
#: Behind a digit that is part of a decimal, a sum, a range or a list.
_NOT_ALONE = re.compile(
    r"[.,]\d|\s*:\s*\d|\s*\)?\s*[+*×÷^=%]|\s*/(?!\s*5(?!\w|\s*\)?\s*[+*×÷^=]))|\s*x\s*\d|\s*(?:-|–|—|~|to|or|and|bis|oder|ou|или|或|,)\s*\d",
    re.IGNORECASE,
)
#: Behind a digit that counts nothing ("4 pens", "2 of the 3 steps"): an end, a sign, or the start of a reason.
_ALONE = re.compile(
    rf"(?:{_OF_FIVE})?(?:{_POINTS})?(?:\s*$|\s*\n|\s*[^\w\s/]|\s+(?-i:[A-Z])"
    r"|\s+(?:because|since|as|for|which|given|on (?:a|the|this) scale)(?!\w))",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"(?<!\w){_NAMES}[\"'\])>\s]*(?:\([^()\n]*\))?\s*(?:[:=-]+|is|was|of|would be|ist|est|es|è|为|是|は)?"
    r"\s*(?:an?\s+)?[\"'“”(\[{\s]*$",
    re.IGNORECASE,
)
_FINAL = re.compile(r"(?<!\w)(?:final|overall|total)(?!\w)", re.IGNORECASE)
_GIVEN = re.compile(
    rf"(?:(?<!\w){_NAMES}"
    r"|\b(?:i|we|would|will|i'd|i'll|must|can|should)\b[^\d.\n;]{0,20}\b(?:give|rate|grade|score|assign|award|say)\b"
    r"|\b(?:graded|rated|scored|deserves?|merits?)\b|[给打得評评])[^\d.\n;]{0,60}$",
    re.IGNORECASE,
)
_DRESS = re.compile(r"[\s\"'“”(\[{:•-]*(?:(?:it|this|that)(?:'s| is)\s+)?(?:an?\s+)?", re.IGNORECASE)
#: The first of several points.
_LIST = re.compile(r"1[.)]\s+\S")
_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_WORD = re.compile(rf"\W*({'|'.join(_WORDS)})(?:\s+(?:out )?of five)?\W*", re.IGNORECASE)
_STARS = re.compile(r"\W*?([★⭐]{1,5})\ufe0f?☆*\W*")


def _before(text: str, at: int) -> str:
    """What stands before a place on its line; where nothing does, the last line above if that ends with a colon."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    if not line.strip(" \"'([{-"):
        above = text[:at].rstrip(" \n\"'([{-").rpartition("\n")[2]
        line = above if above.endswith(":") else line
    return line[-100:]


def read_grade(reply: str) -> int | None:
    """The grade from 1 to 5 that a reply gives; None if it gives none, or several.

    >>> [read_grade(r) for r in (" 4", "**4**/5", "Grade: 4", "5 (right)", "I would give it a 3.", "47+85", "4 pens")]
    [4, 4, 4, 5, 3, None, None]
    """
    text = _SCALE.sub(" ", _plain(reply))
    if _OTHER_SCALE.search(text):
        return None
    found: dict[int, list[int]] = {}
    for digit in _DIGIT.finditer(text):
        rank = _rank(text, digit.start(), digit.end())
        if rank is not None:
            found.setdefault(rank, []).append(int(text[digit.start()]))
    if found:
        return _one(found[min(found)])
    word, stars = _WORD.fullmatch(text), _STARS.fullmatch(text)
    return _WORDS[word[1].lower()] if word else len(stars[1]) if stars else None


def _rank(text: str, start: int, end: int) -> int | None:
    """How plainly the digit at a place is a grade, 0 the most plainly; None if it is not one."""
    before, behind = _before(text, start), text[end : end + 60]
    if _NOT_ALONE.match(behind) or not _ALONE.match(behind):
        return None
    if _NAMED.search(before):
        return 0 if _FINAL.search(before) else 1
    if _GIVEN.search(before) or re.match(_OF_FIVE, behind, re.IGNORECASE):
        return 2
    if _DRESS.fullmatch(text, 0, start):
        return None if _LIST.match(text, start) else 3
    line = text[text.rfind("\n", 0, start) + 1 :].partition("\n")[0]
    alone = line.strip(" \"'()[]{}.") == text[start:end] and not text[end:].strip(" \"')]}.")
    return 4 if alone else None


_YES = (
    "yes|yeah|yep|yup|right|correct|true|accurate|ja|richtig|korrekt|stimmt|oui|vrai|correcte|exact|juste|sí|correct[oa]"
    "|verdader[oa]|sim|certo|sì|corrett[oa]|да|верно|верен|верный|правильно|правильный"
)
_NO = (
    "no|nope|nah|wrong|incorrect|false|inaccurate|untrue|nein|falsch|unrichtig|inkorrekt|non|faux|fausse|incorrecte"
    "|incorrect[oa]|fals[oa]|não|errad[oa]|sbagliat[oa]|errat[oa]|нет|неверно|неверен|неверный|неправильно|неправильный"
)
_ANSWERS = ("yes", "no", "ja", "nein", "oui", "non", "sí", "sim", "não", "sì", "да", "нет", "true", "false")
_VERDICT = re.compile(
    r"(?<![\w-])(?P<no>(?:not|never|nicht|pas|не)\s+)?"
    r"(?:(?:entirely|completely|fully|quite|really|actually|definitely|totally|absolutely|indeed|also|simply)\s+)*"
    r"(?P<hedge>(?:partially|partly|mostly|almost|nearly|largely|somewhat|half|teilweise|partiellement)\s+)?"
    rf"(?:(?P<right>{_YES})|(?P<wrong>{_NO}))(?![\w-])",
    re.IGNORECASE,
)
#: Behind words that describe something else ("the correct answer is 5", "no mistake", "right, let me see").
_ELSEWHERE = re.compile(
    r"\s+(?:answer|solution|response|result|value|one|option|choice|way|order|term|name|symbol|number|triangle|angle"
    r"|side|now|away|antwort|réponse|respuesta|mistakes?|errors?|problem|explanation|need|doubt|idea)(?!\w)"
    rf"|\?|[\"']?\s*[:=]\s*[\"']?(?:\d|{_YES}|{_NO})|,?\s+(?:so|let|now|then|first)(?!\w)"
    r"|,\s+i(?:'m| am)\s+(?:not|afraid|sorry|unable)(?!\w)"
    rf"|\W{{0,3}}(?:/|(?<!\w)(?:or|oder|ou|или)(?!\w))[^.\n]{{0,20}}?(?<!\w)(?:not|{_YES}|{_NO})(?!\w)",
    re.IGNORECASE,
)
_AFTER_OR = re.compile(r"(?:/|(?<!\w)(?:or|oder|ou|или|nor))\s*[\"']?\s*(?:[\w\s]{0,20}[:\"']\s*)?$", re.IGNORECASE)
#: Before words that are only weighed.
_UNSURE = re.compile(
    r"(?:(?<!\w)(?:if|whether|ob|si|unless)|(?:n't|(?<!\w)(?:not|hard to|cannot))\s+(?:be\s+)?"
    r"(?:sure|certain|clear|say|know|tell))(?!\w)[^.!?\n]*$|(?<!\w)(?:would|could|might|may|should)\s+(?:\w+\s+)?be\s+$",
    re.IGNORECASE,
)
_NOT_THOUGHT = re.compile(r"(?:not|n't)\s+(?:think|believe)(?!\w)[^.!?\n]*$", re.IGNORECASE)
_NO_SUCH = re.compile(r"no\s+(?!(?:it|this|that|the|because|i|es)(?!\w))[a-z]", re.IGNORECASE)
_SAID = re.compile(
    r"(?<!\w)(?:verdict|decision|judge?ment|conclusion|evaluation|assessment|urteil|fazit|вердикт)(?!\w)"
    r"\W{0,5}(?:is|ist|est|es)?\W{0,5}$|(?:correct|right)(?:ness)?[\"'\s]*[:=?]\W{0,3}$",
    re.IGNORECASE,
)
_IS = re.compile(
    r"(?<!\w)(?:(?:answer|response|solution|statement|reply|proposal|claim|it|this|that|antwort|lösung|réponse|respuesta"
    r"|resposta|risposta|ответ)(?!\w)[^.!?\n;]{0,60}?(?:(?<!\w)(?:is|was|are|be|seems?|looks?|appears?|ist|est|es|è|é)"
    r"(?P<no>n't|\s+not)?(?:\s+to be)?|:|(?<=ответ))|(?:it|that|this)'s(?P<no2>\s+not)?)\s*[\"'“]?\s*$",
    re.IGNORECASE,
)
_CANNOT = re.compile(r"(?:cannot|can't|can not|couldn't|could not)\s+be\s+$", re.IGNORECASE)
_MARKS = {"✓": True, "✔": True, "✅": True, "✗": False, "✘": False, "❌": False}
_FAR_EAST_NO = "不正确|不正確|错误|錯誤|不对|不對|不是|いいえ|間違|不正解|正しくない|아니|틀렸|틀린"
_FAR_EAST_YES = "正确|正確|正しい|正解|はい|맞습니다|맞아|정답"


def read_verdict(reply: str) -> bool | None:
    """Whether a reply calls the answer right; None if it does not say, or says both.

    >>> [read_verdict(r) for r in (" yes", "Right.", "**Yes**", "Not correct", "No, it is wrong", "The dog.")]
    [True, True, True, False, False, None]
    """
    text = re.sub(r"^right\?\s*", "", _plain(reply), flags=re.IGNORECASE)
    if text[:1] in _MARKS:
        return _MARKS[text[0]]
    if re.search(r"[\u3040-\u9fff\uac00-\ud7af]", text):
        return _read_far_east(text)
    said: list[tuple[int, bool]] = []  # place and value of what is called a verdict
    meant: list[bool] = []
    for match in _VERDICT.finditer(text):
        sentence = _before(text, match.start())
        if _ELSEWHERE.match(text, match.end()) or _AFTER_OR.search(sentence) or _UNSURE.search(sentence):
            continue
        if match["wrong"] and _NO_SUCH.match(text, match.start()):
            continue
        # "The answer is yes" may answer the question itself.
        subject = None if match[0].lower() in _ANSWERS else _IS.search(sentence)
        first = not text[: match.start()].strip(" \"'“([{-:")
        if not (first or subject or _SAID.search(sentence)) or match["hedge"]:
            continue
        turned = [match["no"], subject and (subject["no"] or subject["no2"])]
        turned += [_CANNOT.search(sentence), _NOT_THOUGHT.search(sentence)]
        value = bool(match["right"]) == (sum(map(bool, turned)) % 2 == 0)
        if _SAID.search(sentence):
            said.append((match.start(), value))
        else:
            meant.append(value)
    line = text.rfind("\n") + 1
    chosen = [v for place, v in said if place >= line] or [v for _, v in said] or meant
    value_of_all = _one(map(int, chosen))
    return None if value_of_all is None else bool(value_of_all)


def _read_far_east(text: str) -> bool | None:
    """The same for Chinese, Japanese and Korean, which set no blanks between words."""
    if first := re.match(r"[\s\"'“「(]*(?:(?P<right>是|对|對|네|예)|(?P<wrong>否|错|錯))(?:[的。.,,、!\s]|$)", text):
        return bool(first["right"])
    rest, wrong = re.subn(_FAR_EAST_NO, "", text)
    right = re.search(_FAR_EAST_YES, rest) is not None
    return None if right == bool(wrong) else right


_RESPONSE = (
    r"(?:response|answer|candidate|option|draft|solution|reply|number|no\.|回答|答案|选项|antwort|réponse|respuesta)"
    r"\s*[#:]?\s*\(?"
)
_MENTION = re.compile(rf"(?<!\w){_RESPONSE}(\d{{1,3}})(?![\w.]\d|\d)", re.IGNORECASE)
_BARE = re.compile(r"[\s\"'“(\[{#:-]*(\d{1,3})(?:[\s\"'”)\]}.]*$|[.,:)]\s+\D)")


def read_choice(reply: str, count: int) -> int | None:
    """Place 0 .. count - 1 of the response that a reply chooses by its number; None if it chooses none, or several.

    >>> read_choice("The most consistent response is Response 2.", 3), read_choice("1 and 3", 3)
    (1, None)
    """
    text = _plain(reply)
    most = rf"most\s+consistent[^.\n]{{0,80}}?(?:{_RESPONSE}|is\W{{0,3}})(\d{{1,3}})(?!\w)"
    named = [int(n) for n in re.findall(most, text, re.IGNORECASE)]
    named += [int(n) for n in re.findall(rf"{_RESPONSE}(\d{{1,3}})\)?\s+is\s+(?:the\s+)?most", text, re.IGNORECASE)]
    bare = _BARE.match(text)
    number = _one(named or [int(n) for n in _MENTION.findall(text)] or ([int(bare[1])] if bare else []))
    return number - 1 if number is not None and 1 <= number <= count else None


def read_ranking(reply: str, count: int) -> list[int] | None:
    """Places 0 .. count - 1 of all responses, the best first; None if the reply does not rank each of them once.

    >>> read_ranking("FINAL RANKING:\\n1. Response 2\\n2. Response 1", 2), read_ranking("2 > 3 > 1", 3)
    ([1, 0], [1, 2, 0])
    """
    text = _plain(reply)
    section = re.split(r"ranking\W*[:\n]|best to worst\W*[:\n]", text, flags=re.IGNORECASE)[-1]
    for part in (section, text):
        order = list(dict.fromkeys(int(n) - 1 for n in _MENTION.findall(part)))
        if sorted(order) == list(range(count)):
            return order
    bare = re.match(r"\W*(\d{1,3}(?:\s*[>,;\n]\s*\d{1,3})*)\W*$", section)
    order = [int(n) - 1 for n in re.findall(r"\d+", bare[1])] if bare else []
    return order if sorted(order) == list(range(count)) else None
