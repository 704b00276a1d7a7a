"""The machine API: static JSON under /api/v1/, described by an OpenAPI document, and the feeds.

Stable: within v1 fields are only added. Every file is made from the same record that `atlas export json` writes.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from scripts.claims.verdicts import VERDICTS
from scripts.exports import atom
from scripts.exports.table import record
from scripts.model import Corpus, Paper
from scripts.render.deciding.claims import Claims
from scripts.render.evidence import recorded
from scripts.render.evidence.methods import View, api_record, method_views
from scripts.render.evidence.recorded import Recorded
from scripts.render.evidence.results import FOLDER, Results
from scripts.render.settings import Settings

BASE = "api/v1"


def files(
    corpus: Corpus,
    settings: Settings,
    results: Results | None = None,
    recordings: Recorded | None = None,
    views: list[View] | None = None,
    claims: Claims | None = None,
) -> Iterator[tuple[str, str]]:
    """Every file of the API and every feed as (path, text); results, and the views of
    methods and claims, are those of the corpus's Atlas by default."""
    results = results or Results(corpus.root / FOLDER)
    recordings = recordings or Recorded(corpus.root / recorded.FOLDER)
    records = [record(key, paper) for key, paper in corpus.papers.items()]
    yield f"{BASE}/papers.json", _json({"count": len(records), "papers": records})
    for item in records:
        yield f"{BASE}/papers/{item['key']}.json", _json(item)
    yield f"{BASE}/taxonomy.json", _json(corpus.taxonomy.model_dump(exclude_none=True))
    methods = [api_record(view) for view in views or method_views(corpus.root, results, recordings)]
    yield f"{BASE}/methods.json", _json({"count": len(methods), "methods": methods})
    yield f"{BASE}/results.json", _json({"results": results.records()})
    yield f"{BASE}/recorded.json", _json({"recordings": recordings.records()})
    yield f"{BASE}/claims.json", _json({"claims": (claims or Claims(corpus)).records()})
    yield f"{BASE}/openapi.json", _json(openapi(settings))
    yield "feed.xml", atom.export(corpus.papers, settings.name, "feed.xml", settings.url)
    for full_id, stage, category in corpus.taxonomy:
        mine = {key: paper for key, paper in corpus.papers.items() if full_id in paper.categories}
        path = f"feeds/{full_id.replace('/', '-')}.xml"
        yield path, atom.export(mine, f"{settings.name}: {stage.name}, {category.name}", path, settings.url)


def openapi(settings: Settings) -> dict[str, Any]:
    """The OpenAPI 3.1 description of the API."""
    schema = Paper.model_json_schema(ref_template="#/components/schemas/{model}")
    components = schema.pop("$defs")
    # an entry may write a group's name as a mapping; the API gives every name as a string
    authors = schema["properties"]["authors"]
    authors["items"] = authors["items"]["anyOf"][0]
    authors["description"] = "full names in the paper's order; empty = unknown"
    schema["properties"] |= {
        "key": {"type": "string", "description": "the entry's stable name"},
        "url": {"type": ["string", "null"], "description": "the paper's canonical page; null where none is known"},
        "verified": {"type": "boolean", "description": "whether the entry was held against its sources"},
    }
    schema["required"] = ["key", "url", "verified", *schema["required"]]
    paper = {"$ref": "#/components/schemas/Paper"}
    papers = {
        "type": "object",
        "required": ["count", "papers"],
        "properties": {"count": {"type": "integer"}, "papers": {"type": "array", "items": paper}},
        "additionalProperties": False,
    }
    taxonomy = {"type": "object", "required": ["stages"], "properties": {"stages": {"type": "array"}}}
    text, texts = {"type": "string"}, {"type": "array", "items": {"type": "string"}}
    method = {
        "type": "object",
        "required": ["name", "category", "family", "papers", "parameters", "differences", "path", "results"],
        "properties": {
            **dict.fromkeys(("name", "category", "family", "path"), text),
            "papers": {**texts, "description": "keys of papers, the method's own first"},
            "differences": {**texts, "description": "from the paper"},
            "parameters": {"type": "array", "items": {"type": "object", "required": ["name", "default", "comment"]}},
            "results": {"type": "array", "items": {"type": "object", "required": ["benchmark", "score", "usage"]}},
        },
        "additionalProperties": False,
    }
    methods = {
        "type": "object",
        "required": ["count", "methods"],
        "properties": {"count": {"type": "integer"}, "methods": {"type": "array", "items": method}},
    }
    result = {"type": "object", "required": ["method", "benchmark", "pool", "seed", "queries", "score", "usage"]}
    results = {
        "type": "object",
        "required": ["results"],
        "properties": {"results": {"type": "array", "items": result}},
    }
    recording = {
        "type": "object",
        "required": ["recording", "command", "queries", "tasks", "models", "rows", "published", "runs", "refused"],
    }
    recordings = {
        "type": "object",
        "required": ["recordings"],
        "properties": {"recordings": {"type": "array", "items": recording}},
    }
    claim = {
        "type": "object",
        "required": [
            "id",
            "claim",
            "conditions",
            "stage",
            "test",
            "verdict",
            "sentence",
            "pools",
            "comparisons",
            "log",
        ],
        "properties": {
            **dict.fromkeys(("id", "claim", "conditions", "stage", "sentence", "change", "limits"), text),
            "verdict": {"enum": list(VERDICTS), "description": "computed from the results by `test`"},
            "for": {"type": "array", "description": "what papers report for it"},
            "against": {"type": "array", "description": "what papers report against it"},
        },
    }
    claimed = {
        "type": "object",
        "required": ["claims"],
        "properties": {"claims": {"type": "array", "items": claim}},
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{settings.name} API",
            "version": "1",
            "description": "Static files; unknown fields of a paper are absent.",
            "license": {"name": "CC BY 4.0", "url": "https://creativecommons.org/licenses/by/4.0/"},
        },
        "servers": [{"url": f"{settings.url or '../../'}{BASE}"}],
        "paths": {
            "/papers.json": _get("All papers, newest first", papers),
            "/papers/{key}.json": {
                "parameters": [{"name": "key", "in": "path", "required": True, "schema": {"type": "string"}}],
                **_get("One paper", paper, missing=True),
            },
            "/taxonomy.json": _get("Stages, categories and families", taxonomy),
            "/methods.json": _get("The reference implementations", methods),
            "/results.json": _get("What was measured of them", results),
            "/recorded.json": _get("What was computed on recorded answers of real LLMs", recordings),
            "/claims.json": _get("Claims of the field, and what our own results say of each", claimed),
        },
        "components": {"schemas": {"Paper": schema, **components}},
    }


def _get(summary: str, schema: dict[str, Any], *, missing: bool = False) -> dict[str, Any]:
    found = {"description": summary, "content": {"application/json": {"schema": schema}}}
    responses = {"200": found, **({"404": {"description": "No such paper"}} if missing else {})}
    return {"get": {"summary": summary, "responses": responses}}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
