"""A rendering that finds nothing to do leaves what a fresh one would write, whatever was edited before it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.render import Report, render_atlas, site
from scripts.render.building import made, unchanged
from tests.conftest import ROOT, entry_text, fields, small_atlas
from tests.scripts.render.test_site import files_below

Edit = Callable[[Path, Path], object]  # of the Atlas's folder and of the rendered one


def pages(folder: Path) -> dict[str, bytes]:
    """Every rendered file, without the digests, which a fresh rendering elsewhere has too."""
    return {name: content for name, content in files_below(folder).items() if name != unchanged.NAME}


def edit(name: str, old: str, new: str) -> Edit:
    def change(root: Path, _: Path) -> None:
        path = root / name
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    return change


def write(name: str, text: str) -> Edit:
    def change(root: Path, _: Path) -> None:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text, encoding="utf-8")

    return change


def overwrite(page: Path) -> None:
    """Where it is; a file that no rendering made is left alone by all."""
    page.stat()
    page.write_text("mine", encoding="utf-8")


FIRST = "papers/2024/doe2024a.yml"
OF_METHOD = "chen2023frugalgpt"
EDITS: dict[str, Edit] = {
    "an entry": edit(FIRST, "Deferral", "Referral"),
    "an entry, at the same length": edit(FIRST, "2024-06-26", "2024-06-27"),
    "the paper of a method": edit(f"papers/2023/{OF_METHOD}.yml", "Deferral", "Referral"),
    "a new entry": write("papers/2024/doe2024c.yml", entry_text(title="A third")),
    "an entry gone": lambda root, _: (root / FIRST).unlink(),
    "an entry renamed": lambda root, _: (root / FIRST).rename(root / "papers/2024/doe2024z.yml"),
    "an entry broken": write(FIRST, "title: [\n"),
    "the taxonomy": edit("taxonomy/taxonomy.yml", "name: Cascade", "name: Waterfall"),
    "the vocabulary": edit("taxonomy/vocabulary.yml", "definition: ", "definition: So it is, "),
    "a template": edit("site_src/templates/paper.md.j2", "## Provenance", "## Where it is from"),
    "a macro": edit("site_src/templates/macros.j2", "&middot;", "&bull;"),
    "an asset": edit("site_src/assets/atlas.css", "{", "{ "),
    "an asset gone": lambda root, _: (root / "site_src/assets/choose.css").unlink(),
    "the settings": edit("site_src/site.yml", "name: ", "name: The "),
    "the metrics": write(
        "papers/metrics.json",
        '{"papers": {"doe2024a": {"count": 7, "source": "OpenAlex", "address": "https://openalex.org/W1",'
        ' "date": "2026-11-20"}}}',
    ),
    "a page overwritten": lambda _, out: overwrite(out / "papers/doe2024a.md"),
    "a page gone": lambda _, out: (out / "papers/doe2024a.md").unlink(),
    "a page touched": lambda _, out: os.utime(out / "papers/doe2024a.md"),
    "the digests gone": lambda _, out: (out / unchanged.NAME).unlink(),
    "the digests broken": lambda _, out: (out / unchanged.NAME).write_text("["),
    "nothing": lambda *_: None,
}


class Kept:
    """A small Atlas with sources of its own, and what it was rendered to. Both are put back to the same places for
    each test, as the digest of the inputs holds their names."""

    def __init__(self, folder: Path) -> None:
        self.root, self.out, self._kept = folder / "atlas", folder / "out", folder / "kept"
        second = fields(title="Another", relations={"builds_on": ["doe2024a"]})
        small_atlas(self.root, {"doe2024a": fields(), "doe2024b": second, OF_METHOD: fields()})
        shutil.copytree(ROOT / "site_src", self.root / "site_src")
        render_atlas(self.root, self.out)
        for place in (self.root, self.out):
            shutil.copytree(place, self._kept / place.name)

    def put_back(self) -> None:
        """Undoes what a test did."""
        for place in (self.root, self.out):
            shutil.rmtree(place)
            shutil.copytree(self._kept / place.name, place)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    """Rendered once."""
    return Kept(tmp_path_factory.mktemp("rendered"))


@pytest.fixture
def root(kept: Kept) -> Path:
    """The Atlas, which a test may edit; `out` below is what it was rendered to."""
    kept.put_back()
    return kept.root


@pytest.fixture
def out(root: Path, kept: Kept) -> Path:
    """As the Atlas was when it was rendered."""
    assert root == kept.root
    return kept.out


@pytest.mark.parametrize("name", EDITS)
def test_after_any_edit_all_is_as_in_a_fresh_rendering(name: str, root: Path, out: Path, tmp_path: Path) -> None:
    before = pages(out)
    EDITS[name](root, out)
    report = render_atlas(root, out)
    shutil.rmtree(root / made.PLACE)
    render_atlas(root, tmp_path / "fresh")
    assert pages(out) == pages(tmp_path / "fresh")
    if "page" in name or "digests" in name or name == "nothing":
        assert pages(out) == before
        assert report.removed == 0
    else:
        assert pages(out) != before
        assert report.written or report.removed


@given(names=st.lists(st.sampled_from(sorted(EDITS)), min_size=4, max_size=6, unique=True))
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_after_several_edits_too(names: list[str], kept: Kept, tmp_path_factory: pytest.TempPathFactory) -> None:
    kept.put_back()
    own, out, fresh = kept.root, kept.out, tmp_path_factory.mktemp("edits") / "fresh"
    for name in names:
        try:
            EDITS[name](own, out)
        except (FileNotFoundError, AssertionError):  # an earlier edit took away what this one would change
            continue
        render_atlas(own, out)
    shutil.rmtree(own / made.PLACE)
    render_atlas(own, fresh)
    assert pages(out) == pages(fresh)


def test_where_nothing_changed_nothing_is_rendered(root: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = len(pages(out)) - 1  # but for the list of what it has made
    times = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    monkeypatch.delattr(site, "render_site")
    assert render_atlas(root, out) == Report(out, files=files, written=0, removed=0)
    assert {path: path.stat().st_mtime_ns for path in out.rglob("*")} == times


@pytest.mark.parametrize("variable", ["ATLAS_SITE_URL", "ATLAS_REPOSITORY"])
def test_another_address_is_another_site(
    variable: str, root: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "https://forge.example/atlas/")
    render_atlas(root, out)
    render_atlas(root, tmp_path / "fresh")
    assert pages(out) == pages(tmp_path / "fresh")


def in_another_program(root: Path) -> unchanged.Inputs | None:
    unchanged._of_program.cache_clear()
    return unchanged.of_inputs(root)


def test_other_code_or_packages_are_other_inputs(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = tmp_path / "code"
    (code / "sub" / "__pycache__").mkdir(parents=True)
    (code / "sub" / "one.py").write_text("x = 1\n")
    monkeypatch.setattr(unchanged, "CODE", (code,))
    seen = [unchanged.of_inputs(root)]
    (code / "sub" / "__pycache__" / "one.pyc").write_text("compiled")
    assert in_another_program(root) == seen[0] is not None
    (code / "sub" / "one.py").write_text("x = 2\n")
    assert unchanged.of_inputs(root) == seen[0]  # this program runs the code that it began with
    seen.append(in_another_program(root))
    (tmp_path / "packages" / "jinja2-99.dist-info").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "packages")
    seen.append(in_another_program(root))
    assert len(set(seen)) == 3


@pytest.mark.parametrize("kind", ["a pipe", "a folder behind a link", "a link to nothing"])
def test_what_has_no_content_to_compare_is_rendered_each_time(kind: str, root: Path, tmp_path: Path) -> None:
    odd = root / "site_src" / "templates" / "odd"
    if kind == "a pipe":
        os.mkfifo(odd)
    else:
        (tmp_path / "elsewhere").mkdir()
        odd.symlink_to(tmp_path / ("elsewhere" if "folder" in kind else "nowhere"))
    render_atlas(root, tmp_path / "out")
    assert not (tmp_path / "out" / unchanged.NAME).exists()


def test_an_edit_while_it_renders_is_rendered_next_time(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = site.render_site

    def slow(*arguments: object) -> Report:
        report = real(*arguments)  # type: ignore[arg-type]
        EDITS["an entry"](root, tmp_path)
        return report

    monkeypatch.setattr(site, "render_site", slow)
    render_atlas(root, tmp_path / "out")
    monkeypatch.setattr(site, "render_site", real)
    assert render_atlas(root, tmp_path / "out").written
    assert b"Referral" in (tmp_path / "out" / "papers" / "doe2024a.md").read_bytes()


def test_a_rendering_reads_nothing_that_its_digest_leaves_out(tmp_path: Path) -> None:
    """Of the real Atlas: every file that is opened is an input, a part of Python or a package, or what it makes.
    Gains, compiled templates and what else takes long are kept under digests of inputs."""
    program = """
        import os, sys
        from pathlib import Path
        opened, measured = set(), set()
        now = [opened]
        def hook(event, arguments):
            if event == "open" and isinstance(arguments[0], (str, bytes)):
                for each in now:
                    each.add(os.path.realpath(os.fsdecode(arguments[0])))
        sys.addaudithook(hook)
        from scripts.model import Corpus
        from scripts.render import site
        from scripts.render.site import TEMPLATES, render_site
        from scripts.render.building import made, unchanged
        from scripts.results.kept import PLACE
        root, out = Path(sys.argv[1]), Path(sys.argv[2])
        def measurements(*arguments, real=site.measurements):
            now.append(measured)
            try:
                return real(*arguments)
            finally:
                now.pop()
        site.measurements = measurements
        render_site(Corpus.load(root), out)
        inputs = [*(root / name for name in unchanged.SOURCES), *unchanged.CODE]
        inputs = [os.path.realpath(folder) for folder in inputs]
        half = PLACE.with_name("." + PLACE.name)  # while it is written
        kept = [root / place for place in (PLACE, half, TEMPLATES, made.PLACE)]
        known = (*inputs, *map(os.path.realpath, (out, *kept, sys.prefix, sys.base_prefix)))
        print(*sorted(name for name in opened if not name.startswith(known)), sep="\\n")
        assert any(name.startswith(inputs[0]) for name in opened)
        assert measured and not any(name.startswith(inputs[0]) for name in measured)
    """
    run = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), str(ROOT), str(tmp_path / "out")],
        cwd=ROOT, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    outside = [name for name in run.stdout.split() if not name.startswith(("/dev/", "/proc/", "/sys/", "/etc/"))]
    assert outside == []
