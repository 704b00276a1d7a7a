"""Issue forms: a stranger's answers become a stub of an entry, or a note for the maintainers.

    python -m scripts.forms --event EVENT.json --out DIR [--online]
    python -m scripts.forms --body FILE --kind add-paper --number 12 --out DIR
    python -m scripts.forms --apply DIR

Whoever has an account writes this text: it is limited in size, free of control characters, never reaches a
shell, and comes back only inside code spans and code blocks. The first form writes result.json, message.md and,
where there is an entry to propose, body.md and the entry below DIR; it needs no right to write anything else.
`--apply` is for the job that may write: it takes nothing of DIR on trust, and puts the one entry in its place.

`reading` takes the text apart, `stub` makes an entry of a new paper, `reply` answers (a correction is a reply),
`handover` writes the result and puts its entry in place.
"""
