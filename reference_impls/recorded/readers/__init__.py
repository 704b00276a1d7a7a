"""Readers turn the files of the public sources into recordings."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from reference_impls.recorded import fetch, registry
from reference_impls.recorded.form import Recording
from reference_impls.recorded.readers import (
    gsm8k_solutions,
    llmdrift,
    llmrouter,
    mmlu_pro,
    routellm,
    routerarena,
    swe_bench,
    zeroeval,
)
from reference_impls.recorded.readers.parse import Files, SourceError

READERS: dict[str, Callable[[Files], Recording]] = {
    "routellm-mmlu": routellm.mmlu,
    "routellm-gsm8k": routellm.gsm8k,
    "routellm-mt-bench": routellm.mt_bench,
    "zeroeval-gsm8k": zeroeval.gsm8k,
    "llmdrift-prime": llmdrift.prime,
    "llmdrift-happy": llmdrift.happy,
    "llmdrift-opinionqa": llmdrift.opinionqa,
    "llmdrift-leetcode": llmdrift.leetcode,
    "llmrouter": llmrouter.llmrouter,
    "routerarena": routerarena.routerarena,
    "gsm8k-solutions": gsm8k_solutions.gsm8k_solutions,
    "mmlu-pro-small": mmlu_pro.small,
    "mmlu-pro-middle": mmlu_pro.middle,
    "mmlu-pro-large": mmlu_pro.large,
    "mmlu-pro-all": mmlu_pro.everything,
    "swe-bench": swe_bench.swe_bench,
}
"""Every recording that can be read, by its name."""


def read_source(name: str, *, cache: Path | None = None) -> Recording:
    """A recording of a public source, from the cache folder.

    Nothing is asked from the network here: files that are not in the cache are taken from ``ATLAS_DATA_MIRROR`` if
    that is a folder; otherwise ``atlas data fetch`` gets them.

    Args:
        name: the recording's name.
        cache: folder; default the user's.

    Raises:
        ValueError: no such recording, files that are missing, damaged or of another shape; in one line.
    """
    source = registry.source(name)
    if name not in READERS:
        raise ValueError(f"'{name}' is a source; its recordings are {', '.join(source.recordings)}")
    folder, wanted = cache or fetch.cache_folder(), source.files_of(name)
    try:
        if Path(fetch.mirror()).is_dir():
            files = fetch.fetch(source, wanted, cache=folder)
        else:
            files = {file.path: fetch.place(source, file, folder) for file in wanted}
            for file in wanted:
                if not fetch.is_good(files[file.path], file):
                    raise ValueError(f"{files[file.path]}: missing or damaged (atlas data fetch {source.name})")
        return READERS[name](files)
    except fetch.FetchError as error:
        raise ValueError(str(error)) from error
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        # The checksum was right, so the reader and the registry do not fit; that is ours to mend.
        raise SourceError(f"recording {name}: the reader does not know the files ({type(error).__name__})") from error
