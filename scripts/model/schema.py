"""papers/schema.json: the form of an entry for editors, generated from the model, the taxonomy and the vocabulary."""

from __future__ import annotations

import json
from typing import Any

from scripts.model.identifiers import DATE, FORMS
from scripts.model.paper import Paper
from scripts.model.taxonomy import Taxonomy
from scripts.model.vocabulary import Vocabulary


def schema_text(taxonomy: Taxonomy, vocabulary: Vocabulary) -> str:
    """The JSON Schema (draft 2020-12) as text."""
    schema = Paper.model_json_schema()
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An entry of the LLM Ensemble Atlas",
        **{key: value for key, value in schema.items() if key != "title"},
    }
    definitions = schema["$defs"]
    top = schema["properties"]
    categories = {full_id: f"{category.name}: {category.summary}" for full_id, _, category in taxonomy}
    top["categories"]["items"] = _one_of(categories)
    families = {family.id: f"{full_id}: {family.definition}" for full_id, _, c in taxonomy for family in c.families}
    top["family"] = {**_one_of(families), "description": top["family"]["description"]}
    top["kind"] = _one_of({key: term.definition for key, term in vocabulary.kinds.items()})
    definitions["Venue"]["properties"]["track"] = _one_of(
        {key: term.definition for key, term in vocabulary.tracks.items()}
    )
    for name, attribute in vocabulary.attributes.items():
        values = _one_of({key: term.definition for key, term in attribute.values.items()})
        field = definitions["Attributes"]["properties"][name]
        if field.get("type") == "array":
            field["items"] = values
        else:
            definitions["Attributes"]["properties"][name] = {**values, "description": attribute.definition}
    for kind, form in FORMS.items():
        definitions["Ids"]["properties"][kind] = {
            "type": "string",
            "pattern": "^(?:" + form.pattern.pattern.replace("\\Z", "$") + ")",
            "description": f"{form.name}: {form.example}",
        }
    for owner in (top, definitions["Checked"]["properties"]):
        # an unquoted year is an integer to YAML
        owner["date"] = {
            "anyOf": [
                {"type": "string", "pattern": "^" + DATE.pattern.replace("\\Z", "$")},
                {"type": "integer", "minimum": 1950, "maximum": 2100},
            ],
            "description": "YYYY, YYYY-MM or YYYY-MM-DD",
        }
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def _one_of(values: dict[str, str]) -> dict[str, Any]:
    """A closed set of strings whose meanings an editor can show."""
    return {"type": "string", "enum": list(values), "markdownEnumDescriptions": list(values.values())}
