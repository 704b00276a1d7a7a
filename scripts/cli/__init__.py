"""The repository's commands: over entries, to bring papers in, for the weekly upkeep, for the site.

One module a group. In a checkout `atlas` has them beside the engineer's (`reference_impls.cli`).
"""

#: Module -> its commands, as `reference_impls.cli.GROUPS`.
GROUPS = {
    "scripts.cli.entries": ("validate", "fmt", "duplicates", "schema"),
    "scripts.cli.claims": ("claims",),
    "scripts.cli.site": ("render", "export", "release"),
    "scripts.cli.intake": ("new", "verify", "import"),
    "scripts.cli.upkeep": ("links", "metrics", "candidates", "recall", "gaps"),
}
