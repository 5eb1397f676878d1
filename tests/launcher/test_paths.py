"""Folders that cannot be written, disks that are full, and logs that do not pile up."""

from __future__ import annotations

from pathlib import Path

import pytest

from launcher import paths
from launcher.failure import LauncherError, meaning_of, tail


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    occupied = tmp_path / "file"
    occupied.write_text("not a folder")
    with pytest.raises(LauncherError, match=r"file.* cannot be written .*move the project"):
        paths.make_host_dir(occupied / ".host")


def test_a_full_disk_is_told_in_numbers(tmp_path: Path) -> None:
    with pytest.raises(LauncherError, match=r"needs 9\.0 GB .* 1\.5 GB are free"):
        paths.require_space(tmp_path, 9 * 10**9, usage=lambda _: (0, 0, 1_500_000_000))


def test_enough_space_passes(tmp_path: Path) -> None:
    paths.require_space(tmp_path, 9 * 10**9, usage=lambda _: (0, 0, 9 * 10**9))


def test_only_the_last_logs_are_kept(tmp_path: Path) -> None:
    logs = [paths.new_log(f"{number:02}", tmp_path) for number in range(paths.LOGS_KEPT + 5)]
    kept = set((tmp_path / "logs").iterdir())
    assert len(kept) == paths.LOGS_KEPT
    assert logs[-1] in kept
    assert logs[0] not in kept


@pytest.mark.parametrize(
    ("output", "words"),
    [
        ("error: failed to write: No space left on device (os error 28)", "disk is full"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS", "not the one"),
        ("error: Request failed\n  Caused by: dns error", "could not be reached"),
        (
            "ERROR: Could not find a version that satisfies the requirement x",
            "could not be reached",
        ),
        ("x == 1 has no wheels with a matching Python ABI tag", "no ready-made package"),
        ("something else", "see the log"),
    ],
)
def test_the_output_of_a_failed_command_is_explained(output: str, words: str) -> None:
    assert words in meaning_of(output)


def test_tail_skips_what_was_there_before(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text("old\nnew 1\nnew 2\n")
    assert tail(log, 1) == "new 2"
    assert tail(log, 9, skip=4) == "new 1\nnew 2"
    assert tail(tmp_path / "none.log") == ""
