"""Trainings by content: found again, resumed, published whole, over no other file."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch.testing import assert_close

KEY = "0123456789abcdef" * 4
LEARNER = Path(__file__).absolute().with_name("learner.py")


def learner(folder: Path, seconds: float) -> subprocess.Popen[str]:
    run = [sys.executable, str(LEARNER), str(folder), KEY, str(seconds)]
    return subprocess.Popen(run, stdout=subprocess.PIPE, text=True)


def full_disk(_: int) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def litter(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_second_run_finds_what_the_first_learned(store, folder, vectors) -> None:
    with store.job(KEY, "Teddy bear") as job:
        assert (job.found, job.saved_state) == (None, None)
        name = job.publish(vectors, {"collage.steps": 150})
    assert name == job.name == "col_teddy-bear_0123456789"
    assert litter(folder) == [f"{name}.safetensors"]
    start = time.monotonic()
    with store.job(KEY, "Teddy bear") as again:
        assert_close(again.found, vectors, rtol=0, atol=0)
    assert time.monotonic() - start < 1
    assert again.name == name
    assert (again.metadata["collage.steps"], again.metadata["collage.hash"]) == ("150", KEY)
    assert again.notes == []


def test_a_result_in_a_folder_of_the_users_own_is_found(store, folder, vectors) -> None:
    with store.job(KEY, "bear") as job:
        path = folder / f"{job.publish(vectors, {})}.safetensors"
    (folder / "bears/brown").mkdir(parents=True)
    path.rename(folder / "bears/brown" / path.name)
    with store.job(KEY, "bear") as again:
        assert_close(again.found, vectors, rtol=0, atol=0)


def test_a_file_that_is_taken_away_changes_the_mark_once(store, folder, vectors) -> None:
    marks = [store.files_mark()]
    for _ in range(2):
        with store.job(KEY, "bear") as job:
            path = folder / f"{job.publish(vectors, {})}.safetensors"
        assert store.files_mark() == marks[-1]
        path.unlink()
        marks.append(store.files_mark())
        assert store.files_mark() == marks[-1]
    assert (marks[0], len(set(marks))) == ("", 3)


def test_another_key_is_another_training(store, vectors) -> None:
    with store.job(KEY, "bear") as job:
        job.publish(vectors, {})
    with store.job(KEY[:-1] + "0", "bear") as other:
        assert other.found is None
        assert other.publish(vectors, {}) == "col_bear_0123456789abcdef01"


@pytest.mark.parametrize("phrase", ["../../nodes/__init__.py", "a" * 500, "寿司", "C:\\x\0", "a<b"])
def test_every_phrase_gives_a_name_that_a_prompt_can_hold(
    pack, store, folder, vectors, phrase
) -> None:
    with store.job(KEY, phrase) as job:
        name = job.publish(vectors, {})
    assert re.fullmatch(r"col_[a-z0-9_-]{1,40}_0123456789", name)
    assert litter(folder) == [f"{name}.safetensors"]
    pack.collage_core.collage.layer.Embedding(name=name, vectors=vectors)


def test_a_file_of_someone_else_is_never_touched(store, folder, vectors, put) -> None:
    stranger = put("col_bear_0123456789", {"l": torch.ones(1, 768)})
    before = stranger.read_bytes()
    with store.job(KEY, "bear") as job:
        assert job.found is None
        assert job.publish(vectors, {}) == "col_bear_0123456789abcdef01"
    assert stranger.read_bytes() == before
    with store.job(KEY, "bear") as again:
        assert_close(again.found, vectors, rtol=0, atol=0)


def test_a_damaged_result_is_said_and_learned_anew(store, folder, vectors) -> None:
    with store.job(KEY, "bear") as job:
        path = folder / f"{job.publish(vectors, {})}.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with store.job(KEY, "bear") as job:
        assert job.found is None
        assert "is incomplete" in job.notes[0]
        assert "If it is the result of this training, delete it: " in job.notes[0]
        assert job.publish(vectors, {}) != path.stem


def test_both_names_taken_is_said(store, folder, vectors, put) -> None:
    for name in ("col_bear_0123456789", "col_bear_0123456789abcdef01"):
        put(name)
    with store.job(KEY, "bear") as job:
        job.publish(vectors, {})
    assert "cannot be written to models/embeddings (File exists)" in job.notes[0]


def test_an_interrupted_training_is_resumed(store, folder, vectors) -> None:
    state = {"step": 40, "vectors": vectors, "curve": [1.0, 0.5]}

    def interrupted() -> None:
        with store.job(KEY, "bear") as job:
            job.save_state({"step": 10})
            job.save_state(state)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    with store.job(KEY, "bear") as job:
        assert job.found is None
        assert_close(job.saved_state, state, rtol=0, atol=0)
        job.publish(vectors, {})
    assert litter(folder) == [f"{job.name}.safetensors"]


def test_states_are_no_embeddings_to_the_host(store, folder, vectors) -> None:
    import folder_paths

    with store.job(KEY, "bear") as job:
        job.save_state({"step": 1})
        assert len(litter(folder)) == 2
        assert folder_paths.get_filename_list("embeddings") == []
        job.publish(vectors, {})
    assert folder_paths.get_filename_list("embeddings") == [f"{job.name}.safetensors"]


def test_a_damaged_state_is_put_aside_and_said(store, folder) -> None:
    with store.job(KEY, "bear") as job:
        job.save_state({"step": 1})
    state = next(folder.rglob("*.state"))
    state.write_bytes(state.read_bytes()[:-1])
    with store.job(KEY, "bear") as job:
        assert job.saved_state is None
        assert "is incomplete" in job.notes[0]
        assert "it starts afresh" in job.notes[0]
    assert litter(folder) == [f"{KEY}.bad"]


def test_a_full_disk_loses_nothing_that_is_there(store, folder, vectors, monkeypatch) -> None:
    with store.job(KEY, "bear") as job:
        job.save_state({"step": 1})
        monkeypatch.setattr(os, "fsync", full_disk)
        job.save_state({"step": 2})
        job.save_state({"step": 3})
        name = job.publish(vectors, {})
        monkeypatch.undo()
    state, result = job.notes
    assert "state of the training cannot be kept (No space left on device)" in state
    assert f'"{name}" cannot be written to models/embeddings (No space left on device)' in result
    assert litter(folder) == [f"{KEY}.state"]


def test_what_no_disk_took_is_written_when_there_is_room(
    store, folder, vectors, monkeypatch
) -> None:
    assert store.files_mark() == store.files_mark() == ""
    with store.job(KEY, "bear") as job, monkeypatch.context() as full:
        full.setattr(os, "fsync", full_disk)
        name = job.publish(vectors, {"collage.steps": 7})
    assert store.files_mark() != store.files_mark()
    with monkeypatch.context() as full:
        full.setattr(os, "fsync", full_disk)
        with store.job(KEY, "bear") as job:
            assert_close(job.found, vectors, rtol=0, atol=0)
            assert f'"{name}" cannot be written' in job.notes[0]
            assert job.notes[0].endswith("it is written then, not learned anew.")
    folder.rename(folder.with_name("away"))
    folder.write_bytes(b"a file where the folder should be")
    with store.job(KEY, "bear") as job:
        assert (job.name, job.found is not None) == (name, True)
        assert f'"{name}" cannot be written to models/embeddings (no folder' in job.notes[0]
    folder.unlink()
    with store.job(KEY, "bear") as job:
        assert (job.name, job.notes) == (name, [])
        assert job.metadata["collage.steps"] == "7"
    assert_close(load_file(folder / f"{name}.safetensors")["emb_params"], vectors["l"])
    assert store.files_mark() == ""
    with store.job(KEY, "bear") as job:  # read from the file now
        assert job.metadata["collage.hash"] == KEY


def test_where_nothing_could_be_kept_nothing_is_learned(pack, store, folder) -> None:
    folder.parent.mkdir()
    folder.write_bytes(b"a file where the folder should be")
    with pytest.raises(pack.collage_core.errors.CollageError) as told, store.job(KEY, "bear"):
        pytest.fail("it began")
    assert "LayerTextualInversion, output embedding: no folder of models/em" in str(told.value)
    assert str(folder.parent) not in str(told.value)


def test_a_read_only_folder_still_gives_what_it_holds(pack, store, folder, vectors) -> None:
    with store.job(KEY, "bear") as job:
        job.publish(vectors, {})
    folder.chmod(0o500)
    try:
        if os.access(folder, os.W_OK):
            pytest.skip("this user may write everywhere")
        with store.job(KEY, "bear") as job:
            assert_close(job.found, vectors)
        with pytest.raises(pack.collage_core.errors.CollageError), store.job(KEY[::-1], "bear"):
            pytest.fail("it began")
        assert job.notes == []
    finally:
        folder.chmod(0o700)


def test_the_next_configured_folder_is_taken(store, folder, vectors, monkeypatch) -> None:
    import folder_paths

    folder.parent.mkdir()
    folder.write_bytes(b"")
    second = folder.parent / "more"
    entry = ([str(folder), str(second)], {".safetensors"})
    monkeypatch.setitem(folder_paths.folder_names_and_paths, "embeddings", entry)
    with store.job(KEY, "bear") as job:
        name = job.publish(vectors, {})
    assert job.notes == []
    assert_close(load_file(second / f"{name}.safetensors")["emb_params"], vectors["l"])


def test_waiting_ends_with_the_hosts_interrupt(store, folder) -> None:
    from comfy import model_management

    with store.job(KEY, "bear"):
        model_management.interrupt_current_processing()
        with (
            pytest.raises(model_management.InterruptProcessingException),
            store.job(KEY, "bear"),
        ):
            pass
    assert not model_management.processing_interrupted()


def test_who_waits_says_for_whom(store, vectors) -> None:
    said: list[str] = []
    inside = threading.Event()

    def first() -> None:
        with store.job(KEY, "bear") as job:
            inside.set()
            time.sleep(0.5)
            job.publish(vectors, {})

    thread = threading.Thread(target=first)
    thread.start()
    inside.wait()
    with store.job(KEY, "bear", said.append) as job:
        assert job.found is not None
    thread.join()
    assert said == [f"waiting for process {os.getpid()}, which is learning this layer"]


def test_two_graphs_learn_once(store, vectors) -> None:
    learned: list[str] = []
    found: list[bool] = []

    def graph() -> None:
        with store.job(KEY, "bear") as job:
            found.append(job.found is not None)
            if job.found is None:
                time.sleep(0.3)
                learned.append(job.publish(vectors, {}))

    threads = [threading.Thread(target=graph) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(learned) == 1
    assert sorted(found) == [False, True, True]


def test_two_processes_learn_once(folder) -> None:
    both = [learner(folder, 1.0), learner(folder, 1.0)]
    said = [process.communicate(timeout=300)[0].split("\n") for process in both]
    assert {lines[-2] for lines in said} == {"col_teddy-bear_0123456789"}
    assert (folder / "learned.txt").read_text() == "once\n"
    assert litter(folder) == ["col_teddy-bear_0123456789.safetensors", "learned.txt"]


def test_a_killed_training_is_resumed_at_once(store, folder, killed_after) -> None:
    with killed_after(["step 0", "saved"], LEARNER, folder, KEY, "600"):
        pass
    start = time.monotonic()
    with store.job(KEY, "teddy bear") as job:
        assert job.found is None
        assert_close(job.saved_state, {"step": 3, "vector": torch.arange(4.0)})
    assert time.monotonic() - start < 1
