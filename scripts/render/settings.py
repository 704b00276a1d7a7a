"""The site's own settings (site_src/site.yml), with the environment overriding the two addresses."""

from __future__ import annotations

import os
from pathlib import Path

from scripts.model.corpus import read_data
from scripts.model.paper import Strict, Text

#: Variables of the environment that win over the file, and all of the environment that the site's content hangs on.
VARIABLES = (URL, REPOSITORY) = ("ATLAS_SITE_URL", "ATLAS_REPOSITORY")


class Settings(Strict):
    """`url`, `repository` and `mail` (where contributions may be sent) are empty until the project has a public home;
    what needs them is then left out.
    """

    name: Text
    description: Text
    url: str = ""
    repository: str = ""
    mail: str = ""


def load_settings(root: Path) -> Settings:
    """Settings of the Atlas at `root`; ATLAS_SITE_URL and ATLAS_REPOSITORY win over the file."""
    settings = read_data(root / "site_src" / "site.yml", Settings)
    return settings.model_copy(
        update={
            "url": os.environ.get(URL, settings.url),
            "repository": os.environ.get(REPOSITORY, settings.repository).rstrip("/"),
        }
    )
