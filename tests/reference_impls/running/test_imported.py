"""What a result stands on, read from the text of the imports."""

from reference_impls.running import catalog
from reference_impls.running.imported import PACKAGE, imported
from reference_impls.running.runner import source_hash


def names(*files: str) -> set[str]:
    return {str(file.relative_to(PACKAGE)) for file in imported(*(PACKAGE / file for file in files))}


def test_a_file_that_imports_nothing_of_the_package_stands_alone() -> None:
    assert names("core/query.py") == {"core/query.py"}


def test_names_that_a_package_passes_on_lead_to_their_own_file() -> None:
    found = names("before_inference/knn_router.py")
    assert {"core/embedding.py", "core/index.py", "core/learn.py", "core/stages.py"} <= found
    assert "core/__init__.py" not in found  # a new line there changes no method
    assert not {"core/prompts.py", "core/text.py"} & found  # what it does not use
    assert not {name for name in found if name.startswith(("running/", "backends/", "before_inference/c"))}


def test_what_a_package_makes_itself_stands_in_its_init() -> None:
    found = names("core/choice.py")  # imports `answer_of`, which core/answers/__init__.py defines
    assert {"core/answers/__init__.py", "core/answers/numbers.py"} <= found


def test_imports_are_followed_to_the_end() -> None:
    assert "core/model.py" in names("core/training.py")  # by way of nothing else than its own imports
    assert names("core/training.py") == {"core/training.py", *names("core/model.py", "core/query.py")}


def test_every_method_has_a_hash_of_its_own_file_and_one_place() -> None:
    by_file: dict[object, set[str]] = {}
    for info in catalog.methods().values():
        by_file.setdefault(info.path, set()).add(source_hash(info))
    assert all(len(found) == 1 for found in by_file.values())
    assert len(set.union(*by_file.values())) == len(by_file)
