"""`make site ENGINE=zensical`: renders the Atlas, has Zensical build it, and finishes what it has built.

Zensical knows no hooks, and no variables of the environment in its configuration. So it gets one of its own, made
from mkdocs.yml: without the hook, and with what the hook would have put in.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from reference_impls.safe.folders import FolderError
from reference_impls.safe.writing import write_text
from scripts.model.corpus import CorpusError, find_root
from scripts.render import DEFAULT, render_atlas
from scripts.render.building.finish import FinishError, finish_site, foot, without_html
from scripts.render.building.policy import PolicyError
from scripts.render.markup import html_attribute
from scripts.render.settings import load_settings
from scripts.results.reading import ResultError

# not build/docs: Zensical gets pages without the HTML that is finished
FOLDER = Path("build") / "zensical"
SITE = Path("build") / "site"


class BuildError(ValueError):
    """The site could not be built; says in one line why."""


def build(root: Path) -> Path:
    """Builds the site of the Atlas at `root` into build/site, which is made again.

    Raises:
        BuildError: Zensical is not installed, or has ended with an error.
        CorpusError, FolderError, ResultError: as of `render_atlas`.
        FinishError, PolicyError: the built site is not as expected.
    """
    if importlib.util.find_spec("zensical") is None:
        raise BuildError("Zensical is not installed (pip install 'llm-ensemble-atlas[zensical]')")
    docs, site = root / DEFAULT, root / SITE
    render_atlas(root, docs)
    for old in (root / FOLDER, site):  # Zensical leaves pages that are no more
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old)
    without_html(docs, root / FOLDER / "docs")
    config = root / "build" / "zensical.yml"
    write_text(config, yaml.safe_dump(configuration(root), sort_keys=False, allow_unicode=True))
    command = [sys.executable, "-m", "zensical", "build", "--clean", "--strict", "--config-file", str(config)]
    run = subprocess.run(command, cwd=root, check=False)  # noqa: S603  ourselves and a path
    if run.returncode:
        raise BuildError(f"Zensical ended with {run.returncode}")
    finish_site(site, docs)
    return site


def configuration(root: Path) -> dict[str, Any]:
    """mkdocs.yml for Zensical. Its paths are read from the folder of the configuration, which is build/."""
    config: dict[str, Any] = yaml.safe_load((root / "mkdocs.yml").read_text(encoding="utf-8"))
    settings = load_settings(root)
    del config["hooks"]
    config["docs_dir"], config["site_dir"] = f"{FOLDER.name}/docs", SITE.name
    config["theme"] |= {"custom_dir": "../" + config["theme"]["custom_dir"], "variant": "classic"}
    if settings.url:
        config["site_url"] = settings.url
    config["site_description"] = html_attribute(settings.description)
    config["extra"]["atlas"] = settings.model_dump() | foot(root / DEFAULT)
    return config


def main() -> None:
    """Builds the site of the Atlas around the current folder; status 2 and one line where it cannot be built."""
    try:
        build(find_root())
    except (BuildError, CorpusError, FinishError, FolderError, PolicyError, ResultError, OSError) as error:
        sys.exit(_told(error))


def _told(error: Exception) -> int:
    print(f"atlas: {error}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    main()
