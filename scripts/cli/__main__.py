"""`python -m scripts.cli`: the tool without an installed script."""

from scripts.cli import app

if __name__ == "__main__":
    app()
