"""`python -m scripts.cli`: the tool without an installed script."""

from reference_impls.cli import GROUPS as ENGINEERS
from reference_impls.cli import start
from scripts.cli import GROUPS

if __name__ == "__main__":
    start({**ENGINEERS, **GROUPS})
