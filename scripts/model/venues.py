"""Full names of conferences and journals: what a reader looks for, and what a citation prints."""

from __future__ import annotations

import re

from scripts.model.paper import Venue

#: Names as the series give them on their own pages.
SERIES = {
    "AAAI": "AAAI Conference on Artificial Intelligence",
    "AACL": "Conference of the Asia-Pacific Chapter of the Association for Computational Linguistics",
    "AAMAS": "International Conference on Autonomous Agents and Multiagent Systems",
    "ACL": "Annual Meeting of the Association for Computational Linguistics",
    "AISTATS": "International Conference on Artificial Intelligence and Statistics",
    "COLING": "International Conference on Computational Linguistics",
    "COLM": "Conference on Language Modeling",
    "CPAL": "Conference on Parsimony and Learning",
    "CVPR": "IEEE/CVF Conference on Computer Vision and Pattern Recognition",
    "DAC": "Design Automation Conference",
    "EACL": "Conference of the European Chapter of the Association for Computational Linguistics",
    "ECAI": "European Conference on Artificial Intelligence",
    "ECCV": "European Conference on Computer Vision",
    "EMNLP": "Conference on Empirical Methods in Natural Language Processing",
    "EuroSys": "European Conference on Computer Systems",
    "ICASSP": "IEEE International Conference on Acoustics, Speech and Signal Processing",
    "ICCV": "IEEE/CVF International Conference on Computer Vision",
    "ICLR": "International Conference on Learning Representations",
    "ICML": "International Conference on Machine Learning",
    "IJCAI": "International Joint Conference on Artificial Intelligence",
    "IJCNLP": "International Joint Conference on Natural Language Processing",
    "ISIT": "IEEE International Symposium on Information Theory",
    "KDD": "ACM SIGKDD Conference on Knowledge Discovery and Data Mining",
    "LREC": "Language Resources and Evaluation Conference",
    "MLSys": "Conference on Machine Learning and Systems",
    "NAACL": "Conference of the North American Chapter of the Association for Computational Linguistics",
    "NeurIPS": "Conference on Neural Information Processing Systems",
    "PVLDB": "Proceedings of the VLDB Endowment",
    "SemEval": "International Workshop on Semantic Evaluation",
    "SIGIR": "International ACM SIGIR Conference on Research and Development in Information Retrieval",
    "SIGMOD": "ACM SIGMOD International Conference on Management of Data",
    "TMLR": "Transactions on Machine Learning Research",
    "WSDM": "ACM International Conference on Web Search and Data Mining",
    "WWW": "The Web Conference",
}
# Other names under which a series is known.
_ALSO = {
    "NeurIPS": "NIPS",
    "PVLDB": "Very Large Data Bases",
    "WWW": "World Wide Web Conference",
}
# Under its later name, from this year on.
_RENAMED = {
    "NAACL": (
        2025,
        "Conference of the Nations of the Americas Chapter of the Association for Computational Linguistics",
    )
}
_PARTS = {
    "industry": "Industry Track",
    "demo": "System Demonstrations",
    "datasets-and-benchmarks": "Datasets and Benchmarks Track",
    "short": "Short Papers",
    "tutorial": "Tutorials",
}
# Whose Findings are a volume of their own, with this title.
_FINDINGS = {"ACL", "EMNLP", "NAACL", "EACL", "AACL", "IJCNLP-AACL"}


def full_venue(name: str) -> str:
    """The full names of the series that a venue's name holds ('... @ ICML'); '' where none is known."""
    words = [word for word in re.findall(r"\w+", name) if word in SERIES]
    return ", ".join(f"{SERIES[word]}, {_ALSO[word]}" if word in _ALSO else SERIES[word] for word in words)


def cited_venue(venue: Venue) -> str:
    """A venue as a citation prints it: the series' full name with its short one, and the part of the volume.

    A name that is no series of the table, such as a workshop's or a journal's own, stands as it is.
    """
    if venue.track == "findings" and venue.name in _FINDINGS and venue.year:
        return f"Findings of the Association for Computational Linguistics: {venue.name} {venue.year}"
    parts = venue.name.split("-")
    if not all(part in SERIES for part in parts):
        return venue.name
    since, renamed = _RENAMED.get(venue.name, (9999, ""))
    full = renamed if venue.year and venue.year >= since else " and the ".join(SERIES[part] for part in parts)
    if venue.track == "journal":
        return full
    named = f"{full} ({venue.name})"
    if venue.track == "workshop":
        return f"Workshop at the {named.removeprefix('The ')}"
    return f"{named}, {_PARTS[venue.track]}" if venue.track in _PARTS else named
