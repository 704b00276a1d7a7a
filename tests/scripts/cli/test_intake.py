"""The commands `new`, `import bibtex` and `verify`, as they are typed, on a local server with all services."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner, Result

from scripts.cli.intake import register
from scripts.model import Corpus
from scripts.sources.settings import BASES
from tests.conftest import fields
from tests.scripts.sources.server import Reply, Server
from tests.scripts.sources.services import record

MakeAtlas = Callable[..., Corpus]
Atlas = Callable[..., Result]
REAL = Path(__file__).parents[1] / "imports" / "real.bib"
OFFLINE = ["--title", "A Committee of Models", "--author", "Anna Muster", "--date", "2025-03-01"]


@pytest.fixture
def root(make_atlas: MakeAtlas, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An Atlas with one entry, in which the commands run."""
    corpus = make_atlas({"doe2024deferral": fields(ids={"arxiv": "2406.00001"})})
    monkeypatch.setenv("ATLAS_ROOT", str(corpus.root))
    monkeypatch.chdir(corpus.root)
    return corpus.root


@pytest.fixture
def atlas(root: Path, world: Server, monkeypatch: pytest.MonkeyPatch) -> Atlas:
    """Runs a command with every source on the local server."""
    for name in BASES:
        monkeypatch.setenv(f"ATLAS_{name.upper()}_URL", f"{world.url}/{name}")
    for name, value in {"interval": 0, "tries": 1, "total": 3, "silence": 2}.items():
        monkeypatch.setenv(f"ATLAS_HTTP_{name.upper()}", str(value))
    app = typer.Typer(pretty_exceptions_enable=False)
    register(app)
    runner = CliRunner()

    def run(*words: str) -> Result:
        result = runner.invoke(app, list(words))
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    assert root
    return run


def only_new(root: Path) -> tuple[str, Any]:
    """The one entry that was added."""
    papers = Corpus.load(root).papers
    (key,) = set(papers) - {"doe2024deferral"}
    return key, papers[key]


@pytest.mark.parametrize("text", ["2406.18665", "https://arxiv.org/abs/2406.18665v2", "10.48550/arXiv.2406.18665"])
def test_new_from_arxiv(atlas: Atlas, root: Path, text: str) -> None:
    result = atlas("new", text)
    assert result.exit_code == 0, result.stderr
    key, paper = only_new(root)
    assert result.stdout.strip() == str(root / "papers" / "2024" / f"{key}.yml")
    assert key == "ong2024routellm"
    assert (paper.name, paper.date, len(paper.authors)) == ("RouteLLM", "2024-06-26", 8)
    # DBLP and OpenReview know where it was published
    assert (paper.venue.name, paper.venue.year, paper.venue.track) == ("ICLR", 2025, "main")
    assert dict(paper.ids.items()) == {"arxiv": "2406.18665", "openreview": "8sSqNntaMr"}
    assert paper.links.code == ["https://github.com/lm-sys/RouteLLM"]
    assert (paper.summary, paper.checked) == (None, None)
    assert "atlas validate ong2024routellm" in result.stderr


@pytest.mark.parametrize(
    "text", ["2306.02561", "10.18653/v1/2023.acl-long.792", "https://aclanthology.org/2023.acl-long.792.pdf"]
)
def test_new_from_doi_and_anthology(atlas: Atlas, root: Path, text: str) -> None:
    assert atlas("new", text).exit_code == 0
    key, paper = only_new(root)
    assert key == "jiang2023llmblender"
    assert (paper.venue.name, paper.venue.year, paper.venue.track) == ("ACL", 2023, "main")
    ids = dict(paper.ids.items())
    assert ids["acl"] == "2023.acl-long.792"
    assert ids["doi"] == "10.18653/v1/2023.acl-long.792"
    assert paper.date == ("2023-06-05" if "arxiv" in ids else "2023")


def test_new_from_openreview(atlas: Atlas, root: Path) -> None:
    assert atlas("new", "https://openreview.net/forum?id=OldNote123").exit_code == 0
    key, paper = only_new(root)
    assert key == "doe2021old"
    assert (paper.venue.name, paper.venue.year) == ("ICLR", 2022)


def test_options_overrule_the_source(atlas: Atlas, root: Path) -> None:
    words = ["--category", "before/discrete-utility", "--name", "Router", "--kind", "system", "--date", "2024-06"]
    assert atlas("new", "2406.18665", *words, "--no-second-opinions").exit_code == 0
    key, paper = only_new(root)
    assert (key, paper.categories, paper.kind, paper.date) == (
        "ong2024router",
        ["before/discrete-utility"],
        "system",
        "2024-06",
    )
    assert paper.venue is None


def test_new_dry_run(atlas: Atlas, root: Path) -> None:
    result = atlas("new", "2406.18665", "--dry-run")
    assert result.stdout.startswith("# yaml-language-server")
    assert set(Corpus.load(root).papers) == {"doe2024deferral"}


def test_a_duplicate_is_refused_before_anybody_is_asked(atlas: Atlas, world: Server) -> None:
    result = atlas("new", "https://arxiv.org/pdf/2406.00001v3")
    assert result.exit_code == 2
    assert "doe2024deferral" in result.stderr
    assert world.log == []


def test_a_duplicate_is_refused_by_its_title(atlas: Atlas, root: Path) -> None:
    assert atlas("new", *OFFLINE).exit_code == 0
    result = atlas("new", *OFFLINE)
    assert result.exit_code == 2
    assert "muster2025committee" in result.stderr
    assert len(list((root / "papers").rglob("*.yml"))) == 2


def test_new_offline(atlas: Atlas, root: Path, world: Server) -> None:
    assert atlas("new", *OFFLINE, "--arxiv", "2503.01234", "--code", "https://github.com/x/y").exit_code == 0
    key, paper = only_new(root)
    assert (key, paper.ids.arxiv, paper.links.code) == (
        "muster2025committee",
        "2503.01234",
        ["https://github.com/x/y"],
    )
    assert world.log == []


def test_new_offline_takes_the_date_from_arxiv(atlas: Atlas, root: Path) -> None:
    assert atlas("new", *OFFLINE[:4], "--arxiv", "2503.01234").exit_code == 0
    assert only_new(root)[1].date == "2025-03"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["new"], "give an identifier"),
        (["new", "--title", "Only a Title"], "give an identifier"),
        (["new", "what is this"], "is no identifier"),
        (["new", "--title", "T", "--author", "A Bee"], "give a date"),
        (["new", "2406.18665", "--category", "nowhere"], "category"),
        (["verify", "nobody2020x"], "nobody2020x"),
        (["verify", "--changed", "doe2024deferral"], "not both"),
        (["verify", "--changed"], "no common ancestor"),
    ],
)
def test_wrong_use(atlas: Atlas, words: list[str], told: str) -> None:
    result = atlas(*words)
    assert result.exit_code == 2
    assert told in " ".join(result.stderr.split())


@pytest.mark.parametrize(
    ("path", "reply", "told"),
    [
        ("/arxiv/api/query", Reply(b"", "text/plain", 503), "503"),
        ("/arxiv/api/query", Reply(b"<html>", "text/html"), "text/html"),
        ("/none", Reply(), "does not know 2401.99999"),
    ],
)
def test_new_without_its_source(atlas: Atlas, world: Server, path: str, reply: Reply, told: str) -> None:
    world.on(path, reply)
    result = atlas("new", "2401.99999")
    assert result.exit_code == 1
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_new_without_second_opinions_that_are_down(atlas: Atlas, world: Server, root: Path) -> None:
    world.on("/dblp/search/publ/api", Reply(b"<html>", "text/html"))
    result = atlas("new", "2406.18665")
    assert result.exit_code == 0
    assert "could not be asked" in result.stderr
    assert only_new(root)[1].venue.name == "ICLR"  # Semantic Scholar says so
    assert "named by Semantic Scholar only" in " ".join(result.stderr.split())


def test_unusable_setting(atlas: Atlas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATLAS_HTTP_TRIES", "many")
    assert atlas("verify").exit_code == 2


# --- import bibtex ----------------------------------------------------------------------------------------------


def test_import(atlas: Atlas, root: Path) -> None:
    result = atlas("import", "bibtex", str(REAL))
    assert result.exit_code == 1  # one entry is broken
    assert set(Corpus.load(root).papers) == {
        "doe2024deferral", "li2024more", "chen2023frugalgpt", "doe2020quoted",
    }  # fmt: skip
    (broken,) = (line for line in result.stdout.splitlines() if "error" in line)
    assert f"{REAL}:35:1: error[bibtex-broken] pmlr-v235-broken: " in broken
    assert "3 written, 0 here already, 1 broken, 0 unusable" in result.stderr


def test_import_again_names_the_entries_that_are_here(atlas: Atlas) -> None:
    atlas("import", "bibtex", str(REAL))
    result = atlas("import", "bibtex", str(REAL))
    assert "0 written, 3 here already, 1 broken, 0 unusable" in result.stderr
    assert "skipped: this paper is here already: li2024more" in result.stdout


def test_import_asks_about_another_paper_of_the_same_title(atlas: Atlas, root: Path, tmp_path: Path) -> None:
    path = tmp_path / "two.bib"
    path.write_text(
        "@article{first2019, title={Language Model Ensembles}, author={Ana First and Bob Second},"
        " journal={arXiv preprint arXiv:1905.99911}, year={2019}}\n"
        "@article{other2024, title={Language model ensembles}, author={Cleo Third},"
        " journal={arXiv preprint arXiv:2405.99912}, year={2024}}\n"
    )
    result = atlas("import", "bibtex", str(path))
    assert result.exit_code == 0
    assert {"first2019language", "third2024language"} < set(Corpus.load(root).papers)
    assert f"{path}:2:1: warning[bibtex-title] other2024: third2024language has the title of first2019language" in (
        result.stdout
    )


MANY = r"""@inproceedings{k%d,
  title = {{Net%x}: %s of $k$ M{\"o}dels},
  author = {M{\"u}ller, Jana and B{\'e}e, Ann},
  booktitle = {ICLR}, year = {2024}, doi = {10.1234/x.%d},
  abstract = {%s}
}
"""


def test_import_names_the_place_of_what_it_mends(atlas: Atlas, tmp_path: Path) -> None:
    path = tmp_path / "odd.bib"
    path.write_text(
        "Made by hand {\n"
        "@misc{a,\n  title = {Nothing Lost}\n  author = {Ann Bee},\n  % note = {no},\n  year = 2024\n}\n"
    )
    result = atlas("import", "bibtex", str(path))
    assert result.exit_code == 0
    compare = "(compare the stub with the paper)"
    assert result.stdout.splitlines() == [
        "papers/2024/bee2024nothing.yml",
        f"{path}:4:3: warning[bibtex-mended] a: a comma is missing behind the field 'title' {compare}",
        f"{path}:5:5: info[bibtex-note] a: the field 'note' behind % is not read (nothing to do if it is meant so)",
    ]
    assert "1 written, 0 here already, 0 broken, 0 unusable; 1 to look at" in result.stderr


ODD_PEOPLE = """
@inproceedings{nick2019, title={Nicknames in a Network}, author={Chun (Rick) Chan and Li Wu}, year={2019}}
@misc{same2022, title={Two Authors of One Name}, author={Dong, Qi and Li, Lan and Dai, Da and Li, Lan}, year={2022}}
@article{group2020, title={A Toolbox}, author={Vir, Pau and {NumTool 1.0 Contributors}}, year={2020}}
@article{soc1998, title={On Tools}, author={Pos, Hans and {Society for Tools and Technology}}, year={1998}}
@article{team2024, title={Elm2 Technical Report}, author={{Elm2 Team}}, year={2024}}
@article{team2023, title={Gem: a Family of Models}, author={{Gem Team, Oogle}}, year={2023}}
@misc{capsorg, title={A Model Card for Everyone}, author={{NVIDIA}}, year={2024}}
@misc{colon, title={Elm-4o System Card}, author={Elmlab and : and Aaron Hurt}, year={2024}}
"""


def test_import_takes_the_authors_that_papers_have(atlas: Atlas, root: Path, tmp_path: Path) -> None:
    """Groups with digits, 'and', commas and capitals, DBLP's nicknames, two persons of one name; ':' is nobody."""
    path = tmp_path / "people.bib"
    path.write_text(ODD_PEOPLE)
    result = atlas("import", "bibtex", str(path))
    assert result.exit_code == 0, result.stdout
    papers = {paper.title: paper.authors for paper in Corpus.load(root).papers.values()}
    assert papers["Nicknames in a Network"] == ["Chun (Rick) Chan", "Li Wu"]
    assert papers["Two Authors of One Name"] == ["Qi Dong", "Lan Li", "Da Dai", "Lan Li"]
    assert papers["A Toolbox"] == ["Pau Vir", "NumTool 1.0 Contributors"]
    assert papers["On Tools"] == ["Hans Pos", "Society for Tools and Technology"]
    assert papers["Elm2 Technical Report"] == ["Elm2 Team"]
    assert papers["Gem: a Family of Models"] == ["Gem Team, Oogle"]
    assert papers["A Model Card for Everyone"] == ["NVIDIA"]
    assert papers["Elm-4o System Card"] == ["Elmlab", "Aaron Hurt"]
    assert "':' is no author" in result.stdout


def test_import_that_is_killed_leaves_whole_stubs(root: Path, tmp_path: Path) -> None:
    """What was told is there, and all that is there is whole; what a killed write left is no entry."""
    path = tmp_path / "many.bib"
    words = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(300)]
    path.write_text("".join(MANY % (n, n, word, n, "word") for n, word in enumerate(words)), "utf-8")
    command = [sys.executable, "-m", "scripts.cli", "import", "bibtex", str(path)]
    environment = {**os.environ, "ATLAS_ROOT": str(root)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout
        told = [run.stdout.readline().strip() for _ in range(20)]
        run.kill()
        told += run.stdout.read().split("\n")[:-1]  # the last line may be cut short
    assert all((root / name).is_file() for name in told if name.endswith(".yml"))
    corpus = Corpus.load(root)
    assert len(corpus.papers) == len(corpus.entries) >= 20


def test_import_dry_run_tells_the_same_and_writes_nothing(atlas: Atlas, root: Path) -> None:
    shown = atlas("import", "bibtex", str(REAL), "--dry-run").stdout
    assert list(Corpus.load(root).papers) == ["doe2024deferral"]
    assert atlas("import", "bibtex", str(REAL)).stdout == shown


def test_import_cannot_write_to_the_terminal(atlas: Atlas, tmp_path: Path) -> None:
    path = tmp_path / "evil.bib"
    path.write_bytes(b"@misc{k\x1b[31m, title = {A\x1b[31mB}, year = 2024}\n@misc{j, author = {\x07}}\n")
    result = atlas("import", "bibtex", str(path))
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout + result.stderr
    assert "\x07" not in result.stdout + result.stderr


def test_import_of_no_file(atlas: Atlas, tmp_path: Path) -> None:
    assert atlas("import", "bibtex", str(tmp_path / "none.bib")).exit_code == 2
    assert atlas("import", "bibtex", str(tmp_path)).exit_code == 2


def test_import_of_many(atlas: Atlas, root: Path, tmp_path: Path) -> None:
    """Every entry of a large file becomes a stub (how long 5,000 take: python -m tests.bench_import)."""
    path = tmp_path / "many.bib"
    words = [hashlib.sha256(str(n).encode()).hexdigest() for n in range(500)]
    path.write_text("".join(MANY % (n, n, word, n, "word " * 120) for n, word in enumerate(words)), "utf-8")
    result = atlas("import", "bibtex", str(path))
    assert len(list((root / "papers" / "2024").glob("*.yml"))) == 501, result.stdout[-500:]


# --- verify -----------------------------------------------------------------------------------------------------


def added(atlas: Atlas, root: Path) -> Path:
    assert atlas("new", "2406.18665").exit_code == 0
    return root / "papers" / "2024" / "ong2024routellm.yml"


def test_verify_by_key(atlas: Atlas, root: Path) -> None:
    path = added(atlas, root)
    result = atlas("verify", "ong2024routellm")
    # OpenReview has another title, and nothing in the notes says so
    assert result.exit_code == 1
    assert "warning[verify-title]" in result.stdout
    assert "1 entries held: 0 agree, 1 differ" in result.stderr
    path.write_text(path.read_text() + "notes: At ICLR 'RouteLLM - Learning to Route LLMs from Preference Data'.\n")
    result = atlas("verify", str(path))
    assert result.exit_code == 0, result.stdout
    paper = Corpus.load(root).papers["ong2024routellm"]
    assert paper.checked
    assert paper.checked.against == ["https://arxiv.org/abs/2406.18665", "https://openreview.net/forum?id=8sSqNntaMr"]


def test_verify_forms(atlas: Atlas, root: Path) -> None:
    added(atlas, root)
    rows = json.loads(atlas("verify", "--format", "json").stdout)
    assert {"file", "line", "column", "level", "rule", "message", "repair"} == set(rows[0])
    assert "::warning file=papers/2024/ong2024routellm.yml,line=" in atlas("verify", "--format", "github").stdout


def test_verify_with_everything_down_is_no_failure(atlas: Atlas, root: Path, world: Server) -> None:
    added(atlas, root)
    world.routes.clear()
    world.on("/", Reply(b"", "text/plain", 503))
    # what was asked before is kept on disk
    for file in (root / "build" / "cache").rglob("*"):
        if file.is_file():
            file.unlink()
    result = atlas("verify")
    assert result.exit_code == 0
    assert "info[verify-source]" in result.stdout
    assert "with a source that was down" in " ".join(result.stderr.split())


def git(root: Path, *words: str) -> None:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(root), *identity, *words]
    subprocess.run(command, check=True, capture_output=True)


def test_verify_changed(atlas: Atlas, root: Path, world: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_BASE_REF", raising=False)
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "papers")
    git(root, "commit", "--quiet", "--message=one")
    assert "0 entries held" in atlas("verify", "--changed").stderr
    git(root, "switch", "--quiet", "--create=topic")
    committed = {**fields(ids={"arxiv": "2401.00001"}), "title": "Another"}
    (root / "papers" / "2024" / "doe2024committed.yml").write_text(json.dumps(committed))
    odd = root / "papers" / "2024" / "-- odd\n$(touch x).yml"
    odd.write_text("x")
    git(root, "add", "papers")
    git(root, "commit", "--quiet", "--message=two")
    added(atlas, root)  # not committed, not even added
    world.log.clear()
    result = atlas("verify", "--changed", "--no-write")
    assert "2 entries held" in result.stderr
    assert "1 unreadable" in result.stderr
    assert "doe2024deferral" not in result.stdout
    assert not (root / "x").exists()
    assert atlas("verify", "--changed", "--base", "--output=x").exit_code == 2
    assert "2 entries held" in atlas("verify", "--changed", "--base", "main").stderr


def test_changed_against_the_branch_that_a_pull_request_aims_at(
    atlas: Atlas, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(root, "init", "--quiet", "--initial-branch=main")
    git(root, "add", "papers")
    git(root, "commit", "--quiet", "--message=one")
    git(root, "update-ref", "refs/remotes/origin/release", "HEAD")
    monkeypatch.setenv("GITHUB_BASE_REF", "release")
    assert atlas("verify", "--changed").exit_code == 0
    monkeypatch.setenv("GITHUB_BASE_REF", "nowhere")
    result = atlas("verify", "--changed")
    assert result.exit_code == 2
    assert "fetch-depth: 0" in " ".join(result.stderr.split())


def test_recorded_papers_are_those_that_the_tests_name() -> None:
    assert "2406.18665" in record("arxiv.json")
