"""Sealed texts open with their key alone, and only where they belong."""

from pathlib import Path

import pytest

from app.core import sealing
from app.core.sealing import Seals, Unreadable


def test_a_text_opens_where_it_belongs_and_nowhere_else(tmp_path: Path) -> None:
    seals = Seals(tmp_path)
    sealed = seals.seal("JBSWY3DP", "second_factor:1")
    assert "JBSWY3DP" not in sealed
    assert seals.open(sealed, "second_factor:1") == "JBSWY3DP"
    with pytest.raises(Unreadable):
        seals.open(sealed, "second_factor:2")
    assert seals.seal("JBSWY3DP", "second_factor:1") != sealed


@pytest.mark.parametrize(
    "broken", ["", "0001", "0001.", "0001.x", "0001.AAAA", "7.AAAA", "é.é", "0001.é"]
)
def test_what_is_broken_is_unreadable(tmp_path: Path, broken: str) -> None:
    with pytest.raises(Unreadable):
        Seals(tmp_path).open(broken, "x")


def test_another_installation_reads_nothing(tmp_path: Path) -> None:
    sealed = Seals(tmp_path / "one").seal("text", "x")
    with pytest.raises(Unreadable):
        Seals(tmp_path / "other").open(sealed, "x")


def test_all_processes_have_one_key_which_nobody_else_reads(tmp_path: Path) -> None:
    first, second = Seals(tmp_path), Seals(tmp_path)
    assert second.open(first.seal("text", "x"), "x") == "text"
    (path,) = tmp_path.glob("seal-*.key")
    assert path.stat().st_mode & 0o077 == 0


def test_a_new_key_seals_and_the_old_one_opens_what_it_sealed(tmp_path: Path) -> None:
    running = Seals(tmp_path)
    old = running.seal("text", "x")
    assert not running.is_old(old)
    sealing.rotate(tmp_path)
    started = Seals(tmp_path)
    new = started.seal("text", "x")
    assert started.open(old, "x") == started.open(new, "x") == "text"
    assert (started.is_old(old), started.is_old(new)) == (True, False)
    # A process that was there before takes the new key up when it meets it.
    assert running.open(new, "x") == "text"
