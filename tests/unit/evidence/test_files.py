from __future__ import annotations

import os
import resource
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from opsmail.errors import UnavailableError
from opsmail.evidence import files
from opsmail.evidence.envelope import VerifiedStatement
from opsmail.evidence.files import EvidenceFilesError, list_envelopes, read_envelope, verify_files, write_envelope
from opsmail.evidence.invalid import InvalidEvidence, Reason
from opsmail.evidence.keys import SigningKey
from opsmail.evidence.strict_json import MAX_BYTES
from tests.unit.evidence.statements import envelope, name_of, sent, trusted

KEY = SigningKey.generate()
ENVELOPE = envelope(KEY)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / ".opsmail" / "evidence"


def test_written_under_its_digest_and_read_back(folder: Path) -> None:
    before = os.umask(0o022)
    try:
        path = write_envelope(folder, ENVELOPE)
    finally:
        os.umask(before)
    assert path == folder / f"{name_of(ENVELOPE)}.dsse.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert write_envelope(folder, ENVELOPE) == path
    assert list_envelopes(folder) == (path,)
    assert list(folder.iterdir()) == [path]
    assert read_envelope(path) == ENVELOPE


def test_what_the_system_takes_in_pieces_is_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:7]))
    assert read_envelope(write_envelope(folder, ENVELOPE)) == ENVELOPE


def test_a_damaged_file_is_replaced(folder: Path) -> None:
    path = write_envelope(folder, ENVELOPE)
    path.write_bytes(b"half of it")
    write_envelope(folder, ENVELOPE)
    assert read_envelope(path) == ENVELOPE


def test_a_link_in_its_place_is_replaced_and_not_followed(folder: Path, tmp_path: Path) -> None:
    path = write_envelope(folder, ENVELOPE)
    path.unlink()
    victim = tmp_path / "victim"
    victim.write_text("as it was")
    path.symlink_to(victim)
    write_envelope(folder, ENVELOPE)
    assert victim.read_text() == "as it was"
    assert read_envelope(path) == ENVELOPE


def test_a_folder_that_is_a_link(folder: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    folder.parent.mkdir()
    folder.symlink_to(elsewhere)
    with pytest.raises(EvidenceFilesError) as caught:
        write_envelope(folder, ENVELOPE)
    assert isinstance(caught.value, UnavailableError)
    assert caught.value.hint is not None
    with pytest.raises(EvidenceFilesError, match="link"):
        list_envelopes(folder)
    assert list(elsewhere.iterdir()) == []


def test_a_folder_that_is_a_file(folder: Path) -> None:
    folder.parent.mkdir()
    folder.touch()
    with pytest.raises(EvidenceFilesError):
        write_envelope(folder, ENVELOPE)
    with pytest.raises(EvidenceFilesError, match="Not a directory"):
        list_envelopes(folder)


def test_no_room(folder: Path) -> None:
    folder.mkdir(parents=True)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.raises(EvidenceFilesError, match="File too large"):
            write_envelope(folder, ENVELOPE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    # Neither half of it nor a temporary file.
    assert list(folder.iterdir()) == []


def test_no_folder_is_no_evidence(folder: Path) -> None:
    assert list_envelopes(folder) == ()


def test_only_envelopes_are_listed(folder: Path) -> None:
    path = write_envelope(folder, ENVELOPE)
    for other in ("README.md", ".hidden.dsse.json", "x.json"):
        (folder / other).touch()
    assert list_envelopes(folder) == (path,)


def test_too_many(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_envelope(folder, ENVELOPE)
    write_envelope(folder, envelope(KEY, environment="staging"))
    monkeypatch.setattr(files, "MAX_FILES", 2)
    assert len(list_envelopes(folder)) == 2
    monkeypatch.setattr(files, "MAX_FILES", 1)
    with pytest.raises(EvidenceFilesError, match="more than 1"):
        list_envelopes(folder)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (id, Reason.UNREADABLE),
        (Path.mkdir, Reason.UNREADABLE),
        (os.mkfifo, Reason.UNREADABLE),
        (lambda path: path.symlink_to("other"), Reason.UNREADABLE),
        (lambda path: (path.with_name("other").write_bytes(ENVELOPE), path.symlink_to("other")), Reason.UNREADABLE),
        (lambda path: path.write_bytes(b" " * (MAX_BYTES + 1)), Reason.TOO_LARGE),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, make: Callable[[Path], Any], reason: Reason) -> None:
    path = tmp_path / "x.dsse.json"
    make(path)
    with pytest.raises(InvalidEvidence) as caught:
        read_envelope(path)
    assert caught.value.reason is reason
    assert caught.value.source == str(path)


def test_one_bad_file_does_not_hide_the_others(folder: Path) -> None:
    good = write_envelope(folder, ENVELOPE)
    bad = folder / "0.dsse.json"
    bad.write_bytes(b"{}")
    gone = folder / "gone.dsse.json"
    found = list(verify_files([bad, good, gone], iter([trusted(KEY)])))
    assert [item.source for item in found] == [str(bad), str(good), str(gone)]
    first, second, third = found
    assert isinstance(first, InvalidEvidence)
    assert first.reason is Reason.NOT_AN_ENVELOPE
    assert isinstance(second, VerifiedStatement)
    assert second.statement == sent()
    assert isinstance(third, InvalidEvidence)
    assert third.reason is Reason.UNREADABLE
