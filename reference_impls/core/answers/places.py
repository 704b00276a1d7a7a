r"""Where in a response its final answer stands: in a box, after a mark, after "the answer is".

Everything here reads a text once, so that a hostile one costs no more than another of its length.
"""

import json
import re

_THOUGHT_ENDS = re.compile(r"</(think|thinking|thought|reasoning|seed:think)>", re.IGNORECASE)
_THOUGHT_BEGINS = re.compile(r"<(think|thinking|thought|reasoning|seed:think)>", re.IGNORECASE)
_NEXT_QUESTION = re.compile(r"\n[ \t*#]*(?:Question|Q)\b[ \t]?\d{0,4}[*]{0,2}:")
_BOX = re.compile(r"(?<!\\)\\+(?:boxed|fbox)\s*\{|\\.|[{}]", re.DOTALL)
_OPEN_BOX = re.compile(r"(?<!\\)\\+boxed\s+(\d[\d.,]*|[A-Za-z])(?!\w)")
_FIELD = re.compile(r"""["'](?:final_?|correct_?)?answer["']\s*:\s*("(?:[^"\\\n]|\\.)*+"|[^,}\n]*+)""", re.IGNORECASE)
_HASHES = re.compile(r"####[ \t]*([^\n]*+)(?:\n\s*+([^\n]++))?")
_WORD = re.compile(
    r"(?:\b(?:answer|antwort|lösung|respuesta|réponse|resposta|risposta|solución|antwoord|cevap|odpowiedź|svar)"
    r"|\b(?:ответ|відповідь|решение)|答案|答え|回答|解答|정답|답)",
    re.IGNORECASE,
)  # fmt: skip
_LINK = re.compile(
    r"[\s\"'*_`)\]]{0,8}(?:(?:to|for|of) [^.:\n]{0,120}? "
    r"|choice |option |key |correcta |correcte |correta |corretta |richtige )?"
    r"(?:is|was|would be|should be|must be|will be|ist|lautet|es|est|è|é|это|является|是|为|為|は|은|는|=|:|-->|->|→)"
    r"(?!\w)[\s*_`]{0,8}:?[\s*_`]{0,8}"
    r"(?:(?:therefore|thus|then|that|simply|just|clearly|definitely|indeed|still|most likely|likely|probably|option"
    r"|choice|letter|\\[\[(]|:)[\s,:*_]{1,4}){0,3}",
    re.IGNORECASE,
)
_CJK_LINK = re.compile(r"[\s\"'*_`]{0,8}(?:应该|应当|應該|就)?(?:是|为|為|は|은|는|=|:)?[\s*_`:]{0,8}")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")

#: A line that states an answer and nothing else.
_BARE_STATEMENT = re.compile(r"\W*(?:the |final |correct )*answer\W{0,4}(?:is)?\W{0,4}[^\n]{1,12}", re.IGNORECASE)

BOLD = re.compile(r"(\*\*|__)(?=\S)(.{1,200}?)(?<=\S)\1")
"""Bold text in Markdown; the second group is what is bold."""
SENTENCE_END = re.compile(r"(?<=[^\s.\d][\w)\]\"'%°])[.!?](?:\s|$)")
_CORRECTION = re.compile(
    r"\b(?:no|wait|actually|sorry|correction|corrected|instead|however|but|mistake|error|oops|hmm|wrong|re-?check)\b",
    re.IGNORECASE,
)

_LONGEST = 400
"""Characters of an answer that stands in running text."""
_STATEMENTS = 50
"""Statements of an answer that are looked at, the last ones first."""


def spoken(text: str) -> str:
    """The response without the thoughts before it; nothing if it ends among them.

    >>> spoken("<think>2? No, 3.</think>4"), spoken("2? 3.</think> 4"), spoken("<think>2? Let me")
    ('4', ' 4', '')
    """
    if "<" in text:
        ends = list(_THOUGHT_ENDS.finditer(text))
        text = text[ends[-1].end() :] if ends else text
        begins = _THOUGHT_BEGINS.search(text)
        text = text[: begins.start()] if begins else text
    return text


def first_response(text: str) -> str:
    """The response up to a further question that the model has put to itself, as base models do after examples.

    >>> first_response("It is 4.\\n\\nQuestion: What is 3 + 3?\\nIt is 6."), first_response("Question: 2 + 2? 4.")
    ('It is 4.\\n', 'Question: 2 + 2? 4.')
    """
    for found in _NEXT_QUESTION.finditer(text):
        if text[: found.start()].strip():
            return text[: found.start()]
    return text


def boxed(text: str) -> str | None:
    r"""What stands in the last ``\boxed{}`` that is closed and not empty.

    >>> boxed(r"\boxed{1} or \boxed{\frac{1}{2}}, in 3 ways"), boxed("none")
    ('\\frac{1}{2}', None)
    """
    if "boxed" not in text and "fbox" not in text:
        return None
    open_at: list[tuple[int, bool]] = []
    found = None
    for part in _BOX.finditer(text):
        written = part.group()
        if written.endswith("{") and not written.startswith("\\{"):
            open_at.append((part.end(), len(written) > 1))
        elif written == "}" and open_at:
            start, is_box = open_at.pop()
            if is_box and text[start : part.start()].strip():
                found = text[start : part.start()]
    if found is None:
        bare = _OPEN_BOX.findall(text)
        return bare[-1] if bare else None
    found = found.strip()
    while found.startswith("{") and found.endswith("}"):
        found = found[1:-1].strip()
    return re.sub(r"(?<!\\)\\+(?:boxed|fbox)\s*", "", found)


def field(text: str) -> str | None:
    """The value of ``"answer":`` in a JSON object, whole or cut off; the last that is not empty.

    >>> field('{"reasoning": "6 * 3", "answer": "$18"}'), field('{"answer": 18'), field("answer: 18")
    ('$18', '18', None)
    """
    found = None
    for match in _FIELD.finditer(text):
        value = match[1].strip()
        if value.startswith('"') and value.endswith('"') and len(value) > 1:
            try:
                value = str(json.loads(value, strict=False))
            except ValueError:  # an escape that JSON has not, often of LaTeX
                value = value[1:-1]
        else:
            value = value.strip("\"' ")
        if value.strip() and value != "null":
            found = value
    return found


def hashed(text: str) -> str | None:
    """What follows the last ``####`` on its line, or on the next where the line ends there.

    >>> hashed("6 * 3 = 18\\n#### 18\\n\\nWhy: 3 of 6"), hashed("#### Steps"), hashed("18")
    ('18', 'Steps', None)
    """
    if "####" not in text:
        return None
    last = None
    for match in _HASHES.finditer(text):
        last = match
    return (last[1].strip() or (last[2] or "").strip() or None) if last else None


def stated(text: str, gap: int = 0) -> list[str]:
    """What follows "the answer is" or "Answer:" in a dozen languages, from there to the end of its line, the last
    statement first.

    Of statements line upon line, with nothing between them, only the last counts, and none if there is one before
    them: they answer several questions (examples of the prompt, say). So does a statement less than `gap` characters
    after another one, unless a word of correction stands between them.

    >>> stated("The answer is 3.\\nNo: the final answer is **4**.")
    ['4**.', '3.']
    >>> stated("答案是B。"), stated("Answer:\\n(B)"), stated("Answer: B.\\n\\nIn all:\\nAnswer: A\\nAnswer: B\\n")
    (['B。'], ['(B)'], ['B.'])
    """
    found: list[tuple[int, int, str]] = []
    for word in list(_WORD.finditer(text))[-_STATEMENTS:]:
        link = (_CJK_LINK if _CJK.match(word.group()) else _LINK).match(text, word.end())
        if not link:
            continue
        end = text.find("\n", link.end())
        end = min(end if end >= 0 else len(text), link.end() + _LONGEST)
        if text[link.end() : end].strip(" *_`"):
            found.append((text.rfind("\n", 0, word.start()) + 1, end, text[link.end() : end]))
    runs: list[list[tuple[int, int, str]]] = []
    for part in found:
        bare = _BARE_STATEMENT.fullmatch(text[part[0] : part[1]])
        between = text[runs[-1][-1][1] : part[0]] if runs else ""
        if runs and bare and not between.strip():
            runs[-1].append(part)
        elif runs and len(between) < gap and part[0] >= runs[-1][-1][1] and not _CORRECTION.search(between):
            continue
        else:
            runs.append([part])
    kept = [run for run in runs if len({rest for *_, rest in run}) == 1] or runs
    return [run[-1][2] for run in reversed(kept)]


def last_line(text: str) -> str:
    """The last line that is not blank; empty if there is none.

    >>> last_line("a\\n b \\n\\n")
    'b'
    """
    return text.rstrip().rpartition("\n")[2].strip()


_REFUSAL = re.compile(
    r"\W*+(?:(?:(?:i'?m|i am) (?:very |really |so )?sorry|sorry|i apologi[sz]e|unfortunately|as an ai[^,.\n]{0,40})"
    r"\W+(?:but |however,? )?(?:as of [^,.\n]{0,20}?[, ]+)?)?+"
    r"(?:(?:i|we) (?:can ?not|can't|could not|couldn't|won't|will not|am (?:not able|unable)|do not know|don't know"
    r"|have no idea|am not sure)|i'm (?:not able|unable|not sure)"
    r"|(?:it is|it's) (?:impossible|not possible) to (?:say|tell|answer|determine)"
    r"|抱歉|对不起|我无法|我不知道|не знаю|извините|к сожалению|je ne sais pas|no lo sé|ich weiß (?:es )?nicht)"
    r"|\W*+(?:no idea|no answer|unknown|n/a|not sure|cannot be determined|unanswerable)\W*+\Z",
    re.IGNORECASE,
)


def refuses(text: str) -> bool:
    """Whether a response begins by saying that it gives no answer, or says nothing else.

    >>> refuses("I'm sorry, but I cannot help with that."), refuses("No idea."), refuses("As an AI, I can't say")
    (True, True, True)
    >>> refuses("It is 4. I cannot say more."), refuses("Sorry is a song"), refuses("No idea is new")
    (False, False, False)
    """
    return bool(_REFUSAL.match(text))
