"""What the page play serves beside its scripts: the runtime, the built-in models, and what the ways have learned.

The fitted parts (`site_src/play/fitted.json`, `router.f16`) and the table of agreement (`agreement.json`) are written
by `make bench-play` from the Python methods; here they are handed on.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import zlib
from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from typing import Any

from reference_impls.benchmarks import BENCHMARKS
from reference_impls.models.checksums import read_checked
from reference_impls.models.pool import POOLS, WEIGHTS, price
from scripts.render.building.made import made_once
from scripts.render.building.runtime import LOCK, Lock, runtime_files

View = dict[str, Any]
FOLDER = Path("site_src") / "play"
#: Where the page's scripts look for them.
PLACE = "assets/play"
#: Prompts of each task that the page offers: the first of its test split.
PROMPTS = 12
#: Methods of which the page shows a recorded run, with or without a runtime.
RECORDED_RUNS = ("classifier-router", "majority-vote", "uncertainty-cascade", "unite")
BOTH = list(POOLS)
#: Ways in which models answer together, in the order of the page: what they are called there, the method that each
#: repeats, and the pools that it is offered for. `site_src/assets/play/ways.js` has a module for each.
WAYS: dict[str, View] = {
    "one": {"title": "One model", "short": "One", "pools": BOTH},
    "route": {
        "title": "Route: one model is chosen from the question",
        "short": "Route",
        "method": "classifier-router",
        "pools": ["builtin"],
    },
    "vote": {
        "title": "Vote: all answer, the most frequent answer wins",
        "short": "Vote",
        "method": "majority-vote",
        "pools": BOTH,
    },
    "cascade": {
        "title": "Cascade: the cheapest, and the most expensive where it is unsure",
        "short": "Cascade",
        "method": "uncertainty-cascade",
        "pools": BOTH,
    },
    "unite": {"title": "Fuse token by token: UniTE", "short": "UniTE", "method": "unite", "pools": BOTH},
    "gac": {"title": "Fuse token by token: GaC", "short": "GaC", "method": "gac", "pools": BOTH},
    "span": {
        "title": "Fuse phrase by phrase: Cool-Fusion",
        "short": "Cool-Fusion",
        "method": "cool-fusion",
        "pools": BOTH,
    },
    "steps": {
        "title": "Step by step: the cheapest writes, the most expensive rewrites what a reward finds weak",
        "short": "Reward-guided steps",
        "method": "reward-guided-steps",
        "pools": ["builtin"],  # the peers cost alike: none of them is the small one
    },
    "mixture": {
        "title": "Mixture: all rewrite one another's answers, in layers",
        "short": "Mixture",
        "method": "mixture-of-agents",
        "pools": BOTH,
    },
}
#: Methods that run in the page -> the address there of a run of theirs.
WATCHED = {
    "classifier-router": "play/?task=math&example=1&a=route:builtin&b=one:oak",
    "majority-vote": "play/?task=math&example=1&a=vote:builtin&b=one:oak",
    "uncertainty-cascade": "play/?task=qa&example=1&a=cascade:builtin&b=one:oak",
    "unite": "play/?task=qa&example=1&a=unite:peers&b=one:yew",
    "gac": "play/?task=qa&example=1&a=gac:peers&b=one:yew",
    "cool-fusion": "play/?task=writing&example=1&a=span:peers&b=one:yew",
    "reward-guided-steps": "play/?task=math&example=1&a=steps:builtin&b=one:oak",
    "mixture-of-agents": "play/?task=qa&example=1&a=mixture:peers&b=one:yew",
}
#: Categories with a run of their own -> the method that it is of.
OF_CATEGORY = {
    "before/discrete-utility": "classifier-router",
    "during/token-level": "unite",
    "during/span-level": "cool-fusion",
    "during/process-level": "reward-guided-steps",
    "after/non-cascade": "majority-vote",
    "after/cascade": "uncertainty-cascade",
}
#: How hard files are compressed.
LEVEL = 6
#: Models that are served.
SERVED = [spec.name for pool in POOLS.values() for spec in pool]


def live_files(root: Path) -> Iterator[tuple[str, str | bytes]]:
    """The files that run models in the page, as (path, content); none where the runtime is not there."""
    runtime = runtime_files(root)
    if not runtime:
        return
    for name, data in runtime.items():
        yield f"{PLACE}/runtime/{name}", data
    weights = _weights(root)
    for name, data in weights.items():
        yield f"{PLACE}/weights/{name}.onnx.gz", data
    axes = _router(root)
    yield f"{PLACE}/router.f16.gz", axes
    fitted = json.loads((root / FOLDER / "fitted.json").read_text(encoding="utf-8"))
    digest = hashlib.sha256(b"".join([*runtime.values(), *weights.values(), axes])).hexdigest()[:12]
    told = {
        "version": digest,
        "runtimeBytes": sum(map(len, runtime.values())),
        "cards": _cards(root),
        "tokenizers": _tokenizers(),
        **fitted,
    }
    yield f"{PLACE}/models.json", json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def play_view(root: Path) -> View:
    """What the page says before anything is loaded."""
    runtime, agreement = runtime_files(root), root / FOLDER / "agreement.json"
    view: View = {
        "lock": Lock.load(root / LOCK) if runtime else None,
        "runtime_bytes": sum(map(len, runtime.values())),
        "cards": list(_cards(root).values()) if runtime else [],
        "agreement": json.loads(agreement.read_text(encoding="utf-8")) if agreement.is_file() else None,
        "ways": WAYS,
        "data": {},
    }
    if runtime:
        fitted = json.loads((root / FOLDER / "fitted.json").read_text(encoding="utf-8"))["fitted"]
        view["data"] = {
            "runtimeBytes": view["runtime_bytes"],
            "routerBytes": len(_router(root)),
            "cards": {
                name: {key: card[key] for key in ("role", "price", "bytes")} for name, card in _cards(root).items()
            },
            "pools": {pool: by_price([spec.name for spec in specs]) for pool, specs in POOLS.items()},
            "ways": {way: _offered(way, told, fitted) for way, told in WAYS.items()},
            "tasks": tasks(),
        }
    return view


def _offered(way: str, told: View, fitted: View) -> View:
    """What the page says of a way, and the models that it may ask, by pool and task."""
    pools = {pool: members(way, fitted[pool]) for pool in told["pools"]}
    return {"title": told["title"], "short": told["short"], "pools": pools}


def members(way: str, fitted: View) -> View:
    """The models that a way may ask in each task, in its own order."""
    found = {}
    for task, known in fitted.items():
        names = by_price(list(known["accuracies"]))
        if way == "cascade":
            names = [names[0], names[-1]]
        elif way == "mixture":
            names = names[-3:]
        found[task] = known.get(way, {}).get("members", names)
    return found


def _cards(root: Path) -> dict[str, View]:
    """Each model's architecture, prices and size."""
    weights = _weights(root)
    return {name: card | {"bytes": len(weights[name])} for name, card in cards().items()}


@cache
def cards() -> dict[str, View]:
    """Each model's architecture and prices, in the names of the page's scripts."""
    made: dict[str, View] = {}
    for name in SERVED:
        card = json.loads(read_checked(WEIGHTS / f"{name}.json"))
        cost = price(card["parameters"])
        kept = {key: card[key] for key in ("name", "role", "parameters", "layers", "width", "heads", "tokenizer")}
        made[name] = kept | {"price": {"prompt": cost.prompt, "completion": cost.completion}}
    return made


def by_price(names: list[str]) -> list[str]:
    """From the cheapest to the most expensive, as methods see them."""
    return sorted(names, key=lambda name: (cards()[name]["price"]["completion"], name))


@cache
def tasks() -> dict[str, View]:
    """The tasks with some prompts of each, as queries."""
    return {
        name: {
            "title": task.title,
            "kind": task.kind,
            "maxTokens": task.max_tokens,
            "queries": [
                {"id": q.id, "prompt": q.prompt, "kind": q.kind, "options": q.options, "maxTokens": q.max_tokens}
                for q in (item.query for item in task.items("test")[:PROMPTS])
            ],
        }
        for name, task in BENCHMARKS.items()
    }


@cache
def _weights(root: Path) -> dict[str, bytes]:
    return {name: _packed(root, name, _planes(read_checked(WEIGHTS / f"{name}.onnx"))) for name in SERVED}


def _router(root: Path) -> bytes:
    return _packed(root, "router", (root / FOLDER / "router.f16").read_bytes())


def _tokenizers() -> View:
    names = sorted({card["tokenizer"] for card in cards().values()})
    return {name: json.loads(read_checked(WEIGHTS / f"{name}.tokenizer.json")) for name in names}


def _planes(data: bytes) -> bytes:
    """Every other byte, and then the rest: of numbers of half precision the signs and exponents stand together, which
    compresses better. `interleaved` in assets/play/load.js puts them back."""
    return data[::2] + data[1::2]


def _packed(root: Path, name: str, data: bytes) -> bytes:
    """Compressed, which takes some tenths of a second; kept under a name."""
    parts = f"{zlib.ZLIB_RUNTIME_VERSION} {LEVEL} ".encode() + data
    return made_once(root, f"packed/{name}.gz", parts, partial(gzip.compress, data, LEVEL, mtime=0))
