"""Numbers as people and models write them, in a form in which equal values are equal strings.

Values are exact: 0.5, 1/2 and ``\\frac12`` are one value, 0.333 and 1/3 are two. A percent sign, a currency, a unit
are no part of the value: who asks for a percentage gets 50 from one model and 50% from another, and no answer is both
0.5 and 50 (the benchmarks GSM8K and MATH read it so too). What has no one value (a range, a ratio, a time, a date, a
list) keeps its own form and equals only itself.
"""

import re
from fractions import Fraction

from reference_impls.core.answers.characters import THIN, plain, without_latex

_DIGITS = rf"\d++(?:[.,'_{THIN}]\d++)*+"
_CURRENCY = r"(?:US|CA|AU|HK)?[$€£¥₹₩₽₺฿]|(?:USD|EUR|GBP|CHF|Rs\.?)(?=\s?\d)"
#: One number in a text. What may stand before it is looked at by `_sign`.
_TOKEN = re.compile(
    rf"""
    (?P<sign>[-+–])?+ (?:\s?(?:{_CURRENCY})\s?)?+ (?P<inner>-)?+
    (?<![A-Za-z_^.\d]) (?P<number>\.?{_DIGITS})
    (?:
        [eE](?P<exponent>[-+]?\d++)(?!\w)
      | \s?[x×*·]\s?10\s?\^\s?\{{?\s?(?P<ten>[-+]?\d++)\s?\}}?
      | \s?\^\s?\{{?\s?(?P<power>[-+]?\d++)\s?\}}?
      | (?P<literal> (?::\d++)++ (?:\s?[ap]\.?m\b\.?)?+ | (?:[-/–]\d++){{2,}}+ )
      | (?:\s?/\s?(?P<below>{_DIGITS})(?!/))
      | (?:\s(?:and\s)?(?P<above>\d++)\s?/\s?(?P<under>\d++)(?![\d/]))
    )?+
    (?P<scale>\s?(?:hundred|thousand|million|billion|trillion)\b|万|亿|億|萬
      | (?P<short>(?:[kKMB]|[mb]n)\b))?+
    """,
    re.VERBOSE,
)
_SCALES = {
    "hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12, "万": 4, "萬": 4, "亿": 8, "億": 8,
}  # fmt: skip
#: What may stand around a number that is a whole answer.
_AROUND = " \t\r\n*_`\"'~"
_UNITS = (
    "percent percents pct degrees degree deg dollars dollar cents cent euros euro pounds pound yen rupees km m"
    " cm mm kg g mg l ml lb lbs oz ft feet foot inches inch in miles mile yards mph hours hour hrs hr h minutes"
    " minute mins min seconds second secs sec s days day weeks week months month years year points point times"
    " units unit people"
)
_UNIT = re.compile(
    rf"(?:\s?(?:%|°[CF]?|[€£¥₹元円])|\s?(?:sq(?:uare)?\s|cubic\s)?(?:{_UNITS.replace(' ', '|')})\b"
    r"(?:\^?[23²³])?(?:\s?(?:/|per)\s?[a-z]++)?)?[.]?",
    re.IGNORECASE,
)
#: Words behind a number; no single letters, which are unknowns of a formula.
_WORDS = re.compile(
    r"(?:[\s%°€£¥₹元円,;()/-]++|[^\W\d_]{2,}+|[mgslhLNJWVACKF](?![^\W\d_])|\^?[23²³](?=[\s.)]|$))*+[.!]*+", re.ASCII
)
_RANGE = re.compile(rf"({_DIGITS})\s?(?:-|–|—|to)\s?({_DIGITS})")
_ITEM = r"-?\d++(?:\.\d++)?+(?:/\d++)?+"
_LIST = re.compile(rf"[(\[{{]?\s*{_ITEM}(?:\s*[,;]\s*(?:and\s)?{_ITEM})++\s*[)\]}}]?")
_THOUSANDS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})++(?:\.\d++)?+")
_LAKHS = re.compile(r"[1-9]\d?(?:,\d\d(?=,))++,\d{3}(?:\.\d++)?+")
_SPACED = re.compile(rf"[1-9]\d{{0,2}}(?:(?:{THIN}\d{{3}})++|(?:'\d{{3}})++|(?:_\d{{3}})++)(?:[.,]\d++)?+")
_POINTED = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})++,\d++|[1-9]\d{0,2}(?:\.\d{3}){2,}+")

_LONGEST_EXPANSION = 40
"""Zeros that are written out; beyond them an answer reads 1e50."""
_LONGEST_FRACTION = 300
"""Digits of a numerator or denominator that are reduced; longer ones keep their form."""


def number(text: str) -> str | None:
    r"""The number that a whole answer is, with or without units behind; None if it is anything else.

    >>> number("$1,234.50"), number(r"\frac12"), number("2 1/2 hours"), number("x = -5"), number("3e2"), number("50%")
    ('1234.5', '0.5', '2.5', '-5', '300', '50')
    >>> number("2/3"), number("3 to 5"), number("3:30"), number("2\\pi"), number("twelve")
    ('2/3', '3-5', '3:30', None, None)
    """
    return _whole(text, _WORDS)


def plain_number(text: str) -> str | None:
    """As `number`, but only a common unit may stand behind: what is surely meant as a number.

    >>> plain_number("5 km"), plain_number("12 Angry Men")
    ('5', None)
    """
    return _whole(text, _UNIT)


def _whole(text: str, rest: re.Pattern[str]) -> str | None:
    text = without_latex(plain(text)).strip(_AROUND)
    if len(text) > 2 and text[0] == text[-1] == "$":
        text = text[1:-1].strip(_AROUND)
    text = text.rstrip(".,;:!" + _AROUND)
    text = re.sub(r"^(?:[A-Za-z]\w{0,20}\s?)?[=≈]\s*", "", text, count=1)
    text = re.sub(
        r"^(?:about|approximately|approx\.?|around|roughly|exactly)\s", "", text, count=1, flags=re.IGNORECASE
    )
    if len(text) > 2 and (text[0], text[-1]) in {("(", ")"), ("[", "]"), ("{", "}")}:
        inner = text[1:-1].strip()
        text = inner if _TOKEN.fullmatch(inner) and "," not in inner else text
    if not text or "\\" in text:
        return None
    spaced = re.match(r"[-+]?[1-9]\d{0,2}(?: \d{3})++(?![\d/])", text)
    if spaced:  # blanks between thousands, where nothing else can be meant
        text = spaced.group().replace(" ", THIN) + text[spaced.end() :]
    between = _RANGE.fullmatch(text)
    if between:
        return f"{_digits(between[1])}-{_digits(between[2])}"
    if _LIST.fullmatch(text) and not _TOKEN.fullmatch(text):
        values = [_read(found) for item in re.findall(_ITEM, text) if (found := _TOKEN.fullmatch(item))]
        left, right = (text[0], text[-1]) if text[0] in "([{" else ("", "")
        return f"{left}{','.join(values)}{right}"
    if re.match(r"[-+–]\s", text):
        text = text[0] + text[1:].lstrip()
    found = _TOKEN.match(text)
    if not found or not rest.fullmatch(text, found.end()):
        return None
    return _read(found)


def numbers(text: str) -> list[str]:
    r"""All numbers of a text, in its order.

    >>> numbers("7 + 5 = 12, so x_1 is -12.5 or 1/3 (see 3:30)")
    ['7', '5', '12', '-12.5', '1/3', '3:30']
    """
    text = without_latex(plain(text))
    return [_read(found) for found in _TOKEN.finditer(text)]


def _read(found: re.Match[str]) -> str:
    """The value of a token in canonical form."""
    sign = "-" if _negative(found) else ""
    if found["literal"]:
        literal = re.sub(r"[\s.]", "", found["number"] + found["literal"]).replace("–", "-").lower()
        return sign + literal
    parts = _digits(found["number"])
    if found["short"]:  # thousands, or kelvin, or a name: itself and nothing else
        return f"{sign}{parts}{found['short']}"
    scale = _SCALES[found["scale"].strip().lower()] if found["scale"] else 0
    if found["below"] or found["under"]:
        if found["below"]:
            top, bottom, whole = parts, _digits(found["below"]), "0"
        else:
            top, bottom, whole = found["above"], found["under"], parts
        return _fraction(sign, whole, top, bottom, scale)
    if found["power"]:
        return sign + _power(parts, found["power"])
    exponent = found["exponent"] or found["ten"] or "0"
    if len(exponent) > 15:
        return f"{sign}{parts}e{exponent.lower().lstrip('+')}"
    return _decimal(sign, parts, int(exponent) + scale)


def _negative(found: re.Match[str]) -> bool:
    """Whether the dash before a number is its sign: not a bullet, a hyphen or a subtraction."""
    if found["inner"]:
        return True
    if found["sign"] not in ("-", "–"):
        return False
    text, start = found.string, found.start()
    if start == 0:
        return True
    before = text[start - 1]
    return not (before.isalnum() or before in ")]}%'\"")


def _digits(written: str) -> str:
    """A run of digits and separators as an English decimal; a list or anything else that has no value as it stands.

    >>> [_digits(w) for w in ("1,234.50", "1.234,5", "3,5", "1,2,3", "12,34,567", ".5", "0,500", "1.2.3")]
    ['1234.50', '1234.5', '3.5', '1,2,3', '1234567', '.5', '0.500', '1.2.3']
    """
    if written.lstrip(".").isdigit():
        return written
    if _THOUSANDS.fullmatch(written) or _LAKHS.fullmatch(written):
        return written.replace(",", "")
    if _SPACED.fullmatch(written):
        return re.sub(rf"[{THIN}'_]", "", written).replace(",", ".")
    if _POINTED.fullmatch(written):
        return written.replace(".", "").replace(",", ".")
    if written.count(",") == 1 and "." not in written and not re.search(rf"['_{THIN}]", written):
        return written.replace(",", ".")
    return written


def _decimal(sign: str, written: str, exponent: int) -> str:
    """Digits with at most one point, times a power of ten."""
    whole, _, fraction = written.partition(".")
    if not (whole + fraction).isdigit():
        return sign + written if not exponent else f"{sign}{written}e{exponent}"
    digits = (whole + fraction).lstrip("0")
    exponent -= len(fraction)
    kept = digits.rstrip("0")
    exponent += len(digits) - len(kept)
    if not kept:
        return "0"
    if exponent > _LONGEST_EXPANSION or -exponent - len(kept) > _LONGEST_EXPANSION:
        return f"{sign}{kept}e{exponent}"
    if exponent >= 0:
        return sign + kept + "0" * exponent
    kept = kept.rjust(1 - exponent, "0")
    return f"{sign}{kept[:exponent]}.{kept[exponent:]}"


def _fraction(sign: str, whole: str, top: str, bottom: str, scale: int) -> str:
    if max(map(len, (whole, top, bottom))) > _LONGEST_FRACTION:
        return f"{sign}{'' if whole == '0' else f'{whole} '}{top}/{bottom}"
    try:
        value = (Fraction(whole) + Fraction(top) / Fraction(bottom)) * 10**scale
    except (ValueError, ZeroDivisionError):
        return f"{sign}{top}/{bottom}"
    return sign * bool(value) + _rational(value)


def _rational(value: Fraction) -> str:
    """A value that is not negative: as a decimal if that is finite, else reduced."""
    rest, places = value.denominator, 0
    for prime in (2, 5):
        count = 0
        while rest % prime == 0:
            rest //= prime
            count += 1
        places = max(places, count)
    if rest > 1:
        return f"{value.numerator}/{value.denominator}"
    return _decimal("", str(value.numerator * 10**places // value.denominator), -places)


def _power(base: str, exponent: str) -> str:
    """A whole number to a small whole power; 10 to any."""
    if set(base) <= set("10") and base.lstrip("0") == "10" and len(exponent) <= 15:
        return _decimal("", "1", int(exponent))
    if base.isdigit() and len(base) <= 12 and len(exponent) <= 3 and abs(int(exponent)) <= 100 and int(base):
        return _rational(Fraction(int(base)) ** int(exponent))
    return f"{base}^{exponent}"
