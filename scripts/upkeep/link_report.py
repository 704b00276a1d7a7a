"""What the state of the links comes to: findings, JSON, the text of the issue."""

from __future__ import annotations

from dataclasses import dataclass

from scripts.checks.findings import Finding, Level
from scripts.upkeep.link_state import APART, FAILURES, Link, Outcome, State
from scripts.upkeep.links import Links
from scripts.upkeep.reports import code, fit, link

RULES: dict[str, tuple[Level, str]] = {
    "link-dead": (Level.WARNING, "A link that leads nowhere sends every reader away."),
    "link-failing": (Level.INFO, "A link that fails once may come back; it is asked again."),
    "link-moved": (Level.INFO, "A page that moved for good may lose its old address."),
}


@dataclass
class Summary:
    """The state of the links that the Atlas holds now, by how they stand."""

    checked: str | None
    groups: dict[str, dict[str, Link]]  # dead, failing, moved, blocked, ok
    unasked: list[str]
    places: Links

    @classmethod
    def of(cls, links: Links, state: State) -> Summary:
        """What `state` says of `links`."""
        groups: dict[str, dict[str, Link]] = {name: {} for name in ("dead", "failing", "moved", "blocked", "ok")}
        for url in links:
            if known := state.links.get(url):
                groups[_group(known)][url] = known
        return cls(state.started, groups, [url for url in links if url not in state.links], links)

    def findings(self) -> list[Finding]:
        """Dead, failing and moved links at every place where they stand."""
        texts = {
            "dead": ("link-dead", "look for its new address, or remove it"),
            "failing": ("link-failing", "nothing yet: it is asked again"),
            "moved": ("link-moved", "write the new address if it is the same page"),
        }
        found = []
        for group, (rule, repair) in texts.items():
            for url, known in self.groups[group].items():
                told = f"now at {known.moved_to}" if group == "moved" else _failed(known)
                for place in self.places[url]:
                    entry = place.entry
                    assert entry.document
                    file = "/".join(entry.path.parts[-3:])
                    mark = entry.document.mark(place.path)
                    found.append(Finding(file, mark, RULES[rule][0], rule, f"{url}: {told}", repair))
        return found

    def as_json(self) -> dict[str, object]:
        """For machines: counts, and every link that is not simply there."""
        rows = [
            {
                "url": url,
                "state": group,
                "status": known.status,
                "why": known.why,
                "moved_to": known.moved_to,
                "failures": known.failures,
                "asked": known.asked,
                "entries": sorted({place.entry.key for place in self.places[url]}),
            }
            for group, links in self.groups.items()
            if group != "ok"
            for url, known in links.items()
        ]
        return {"checked": self.checked, "counts": self.counts, "links": rows}

    @property
    def counts(self) -> dict[str, int]:
        """How many links stand how."""
        return {**{group: len(links) for group, links in self.groups.items()}, "unasked": len(self.unasked)}

    def as_markdown(self) -> str:
        """For an issue: dead links first, then those that moved, then those to be watched."""
        counts = ", ".join(f"{count} {name}" for name, count in self.counts.items() if count)
        lines = [f"Links checked in the run of {(self.checked or '')[:10]}: {counts or 'none'}.", ""]
        lines.append(
            f"A link is dead after failing in {FAILURES} runs, {APART.days} day or more apart; 'blocked' are"
            " answers such as 403 and 429, which a program gets where a reader may not."
        )
        for group, head in (
            ("dead", "Dead"),
            ("moved", "Moved for good"),
            ("failing", "Failing"),
            ("blocked", "Blocked"),
        ):
            if not self.groups[group]:
                continue
            lines += ["", f"### {head}", ""]
            for url, known in self.groups[group].items():
                keys = ", ".join(code(key) for key in sorted({place.entry.key for place in self.places[url]}))
                told = f"now at {link(known.moved_to or '')}" if group == "moved" else code(_failed(known))
                box = "- [ ]" if group in ("dead", "moved") else "-"
                lines.append(f"{box} {link(url)} ({keys}): {told}")
        return fit(lines)


def _group(known: Link) -> str:
    if known.dead:
        return "dead"
    match known.outcome:
        case Outcome.FAILED:
            return "failing"
        case Outcome.BLOCKED:
            return "blocked"
        case Outcome.OK:
            return "moved" if known.moved_to and known.permanent else "ok"


def _failed(known: Link) -> str:
    if known.outcome is Outcome.BLOCKED:
        return known.why
    since = f", since {known.failures[0][:10]}" if len(known.failures) > 1 else ""
    return f"{known.why} ({len(known.failures)} of {FAILURES} runs{since})"
