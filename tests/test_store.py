from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from cleaner import Cleaner, ModelError
from cleaner.model import store


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(store.find(), tmp_path / "model"))


def _rewrite(folder: Path, **changes: object) -> None:
    """Change the configuration and make the checksums fit again."""
    config = json.loads((folder / "config.json").read_text()) | changes
    with np.load(folder / "weights.npz") as arrays:
        content = dict(arrays)
    store.save(folder, content, config, "")


def test_a_copy_of_the_model_is_the_model(folder: Path, cleaner: Cleaner) -> None:
    text = (Path(__file__).parent.parent / "seeds" / "000_1361d716e4f5d7c1.txt").read_text(encoding="utf-8")
    assert Cleaner(model=folder).label(text) == cleaner.label(text)


def test_a_missing_model_is_named() -> None:
    with pytest.raises(ModelError, match=f"no model folder 'nowhere'.* one of: .*{store.DEFAULT}"):
        Cleaner(model="nowhere")


@pytest.mark.parametrize("name", ["weights.npz", "config.json"])
def test_an_altered_file_is_refused(folder: Path, name: str) -> None:
    content = bytearray((folder / name).read_bytes())
    content[len(content) // 2] ^= 1
    (folder / name).write_bytes(content)
    with pytest.raises(ModelError, match=f"{name} is not the file its checksum was made for"):
        Cleaner(model=folder)


@pytest.mark.parametrize("name", ["weights.npz", "SHA256SUMS"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelError, match=name):
        Cleaner(model=folder)


def test_a_model_of_another_version_is_refused(folder: Path) -> None:
    _rewrite(folder, format=store.FORMAT + 1)
    with pytest.raises(ModelError, match=f"has format {store.FORMAT + 1}, this version of cleaner reads"):
        Cleaner(model=folder)


def test_a_model_of_other_features_is_refused(folder: Path) -> None:
    _rewrite(folder, features=["length"])
    with pytest.raises(ModelError, match="other labels or features"):
        Cleaner(model=folder)


def test_a_pickle_in_the_weights_is_never_run(folder: Path) -> None:
    ran = folder / "ran"

    class Harmful:
        def __reduce__(self) -> tuple[object, ...]:
            return (ran.touch, ())

    np.savez(folder / "weights.npz", allow_pickle=True, linear_weight=np.array([Harmful()], dtype=object))
    import hashlib

    sums = folder / "SHA256SUMS"
    digest = hashlib.sha256((folder / "weights.npz").read_bytes()).hexdigest()
    config = hashlib.sha256((folder / "config.json").read_bytes()).hexdigest()
    sums.write_text(f"{digest}  weights.npz\n{config}  config.json\n")
    with pytest.raises(ModelError, match="not complete"):
        Cleaner(model=folder)
    assert not ran.exists()


def test_the_folder_is_small_and_has_a_card() -> None:
    folder = store.find()
    assert sum(file.stat().st_size for file in folder.iterdir()) <= 4_000_000
    assert (folder / "README.md").read_text(encoding="utf-8").startswith("# ")
