"""What the tokens of a transformers tokenizer spell, and how a text goes on in them.

A tokenizer is of one kind, which is found out once:

byte-level      GPT-2, Qwen, Llama 3: a printable character stands for each byte;
sentencepiece   Llama 2, T5, Gemma: U+2581 stands for a blank, `<0x41>` for a byte that has no token else;
plain           characters are what they are.

Only the whole vocabulary tells: `é` is the byte E9 in the first kind and the letter in the others.
"""

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

_BLANK = "\u2581"
_PRINTABLE = [*range(33, 127), *range(161, 173), *range(174, 256)]
#: GPT-2's table of printable characters that stand for bytes.
_STAND_INS = {chr(b): b for b in _PRINTABLE} | {
    chr(256 + i): b for i, b in enumerate(b for b in range(256) if b not in _PRINTABLE)
}


def _parts(component: Any) -> Iterator[dict[str, Any]]:
    """The settings of a normaliser, pre-tokenizer or decoder of the tokenizers library, those of a sequence one by
    one."""
    if component is not None:
        settings = component if isinstance(component, dict) else json.loads(component.__getstate__())
        inner = next((settings[k] for k in ("decoders", "pretokenizers", "normalizers") if k in settings), None)
        if inner is None:
            yield settings
        for part in inner or ():
            yield from _parts(part)


def kind_of(tokenizer: Any) -> str:
    """``byte-level``, ``sentencepiece`` or ``plain``: by the tokenizer's decoder, else by the whole vocabulary.

    Raises:
        ValueError: a kind that loses blanks or letter case, so that its tokens spell no text.
    """
    decoder = getattr(getattr(tokenizer, "backend_tokenizer", None), "decoder", None)
    parts = list(_parts(decoder))
    types = {part["type"] for part in parts}
    lossy = types & {"WordPiece", "BPEDecoder", "CTC"}
    if lossy:
        raise ValueError(
            f"the tokenizer of {tokenizer.name_or_path} ({lossy.pop()}) does not keep blanks, so that its tokens"
            " spell no text; take a model with a byte-level or SentencePiece tokenizer"
        )
    if "ByteLevel" in types:
        return "byte-level"
    if "Metaspace" in types or any(_BLANK in str(p.get("pattern")) for p in parts if p["type"] == "Replace"):
        return "sentencepiece"
    if parts:
        return "plain"
    special = _special_ids(tokenizer)
    tokens = [
        token
        for i, token in enumerate(tokenizer.convert_ids_to_tokens(range(len(tokenizer))))
        if token is not None and i not in special
    ]
    if any(_BLANK in token for token in tokens):
        return "sentencepiece"
    return "byte-level" if all(c in _STAND_INS for token in tokens for c in token) else "plain"


def _special_ids(tokenizer: Any) -> set[int]:
    """Ids of tokens that stand for no text."""
    added = getattr(tokenizer, "added_tokens_decoder", {})
    return {*tokenizer.all_special_ids, *(i for i, token in added.items() if token.special)}


def byte_form(tokenizer: Any) -> list[bytes]:
    """Every token's bytes; those of special tokens are empty.

    Raises:
        ValueError: the tokenizer is of a kind whose tokens spell no text (see `kind_of`).
    """
    kind, special = kind_of(tokenizer), _special_ids(tokenizer)
    result = []
    for i, token in enumerate(tokenizer.convert_ids_to_tokens(range(len(tokenizer)))):
        if i in special or token is None:
            result.append(b"")
        elif kind == "byte-level":
            # An added token may hold other characters, and then spells itself.
            spelt = all(c in _STAND_INS for c in token)
            result.append(bytes(_STAND_INS[c] for c in token) if spelt else token.encode())
        elif _is_byte(token):
            result.append(bytes([int(token[3:5], 16)]))
        else:
            result.append((token.replace(_BLANK, " ") if kind == "sentencepiece" else token).encode())
    return result


def _is_byte(token: str) -> bool:
    return len(token) == 6 and token.startswith("<0x") and token.endswith(">")


def without_twins(tokenizer: Any, spelt: Sequence[bytes]) -> list[bytes]:
    """The bytes with every string once: of several tokens that spell one (`!` and `<0x21>`) the one stays that is no
    byte's, else the first. The tokenizer never makes the others, which become empty."""
    names = tokenizer.convert_ids_to_tokens(range(len(spelt)))
    chosen: dict[bytes, int] = {}
    for i in sorted(range(len(spelt)), key=lambda i: _is_byte(names[i] or "")):
        chosen.setdefault(spelt[i], i)
    return [token if chosen[token] == i else b"" for i, token in enumerate(spelt)]


def continuation(tokenizer: Any) -> Callable[[str], list[int]]:
    """What encodes text that goes on within a text: without the blank that some tokenizers put before every text.

    Raises:
        ValueError: the tokenizer is none of the tokenizers library, so that the blank cannot be switched off.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ValueError(f"{tokenizer.name_or_path} has no fast tokenizer (tokenizer.json), which fusion needs")
    encoder = copy.deepcopy(backend)
    encoder.no_truncation()
    encoder.no_padding()
    # What another model has written is text, whatever it looks like: no end and no turn of a conversation.
    encoder.encode_special_tokens = True
    for name in ("normalizer", "pre_tokenizer"):
        component = getattr(encoder, name)
        parts = list(_parts(component))
        marked = any(part["type"] == "Metaspace" for part in parts)
        kept = []
        for part in parts:
            # Words must keep the blank before them where Metaspace is to see it.
            if part["type"] == "Prepend" or (marked and part["type"] == "WhitespaceSplit"):
                continue
            changes: dict[str, dict[str, Any]] = {
                "Metaspace": {"prepend_scheme": "never"},
                "ByteLevel": {"add_prefix_space": False},
            }
            kept.append(part | changes.get(part["type"], {}))
        if kept != parts:
            inner = "normalizers" if name == "normalizer" else "pretokenizers"
            sequence = copy.deepcopy(component)
            sequence.__setstate__(json.dumps({"type": "Sequence", inner: kept}).encode())
            setattr(encoder, name, sequence)
    return lambda text: list(encoder.encode(text, add_special_tokens=False).ids)
