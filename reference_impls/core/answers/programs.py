"""The program in a response: code in or without fences of any usual dress."""

import re
import textwrap

_FENCE = re.compile(r"(`{3,}|~{3,})[ \t]*\{?\.?([^\s`~{}]*+)[^\n`]*+(?:\n|$)")
_PYTHON = re.compile(r"(?:i?python|py)[\d.]*|sage|pycon", re.IGNORECASE)
_DEFINES = re.compile(r"^[ \t]*(?:async\s+def|def|class)\s+\w", re.MULTILINE)


def program(text: str) -> str:
    """The first fenced block of Python that defines something, else the first of Python, else the first without a
    language, else any; without fences the whole text. A fence that is never closed reaches to the end.

    >>> program("Here:\\n```py\\ndef f():\\n    return 1\\n```"), program("```bash\\nls\\n```\\n~~~Python\\nx = 1")
    ('def f():\\n    return 1\\n', 'x = 1\\n')
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    blocks = _blocks(text)
    if not blocks:
        return text.strip() + "\n"
    python = [code for language, code in blocks if _PYTHON.fullmatch(language)]
    unnamed = [code for language, code in blocks if not language]
    for candidates in (python, unnamed):
        for code in candidates:
            if _DEFINES.search(code):
                return code
    return (python or unnamed or [code for _, code in blocks])[0]


def _blocks(text: str) -> list[tuple[str, str]]:
    """Language and code of every fenced block that is not empty."""
    blocks = []
    place = 0
    while opening := _FENCE.search(text, place):
        mark = opening[1]
        end = text.find(mark, opening.end())
        body = text[opening.end() : end if end >= 0 else len(text)]
        place = len(text) if end < 0 else end + len(mark)
        while place < len(text) and text[place] == mark[0]:
            place += 1
        if body.strip():
            blocks.append((opening[2], textwrap.dedent(body).strip() + "\n"))
    return blocks
