"""The signing keys: which one signs, who may remove which, and what a process makes of the folder."""

import os
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import app
from app.core import keys
from app.core.errors import Conflict, NotFound, Unauthenticated
from app.core.ids import uuid7
from app.core.settings import settings
from app.core.tokens import Tokens

SCOPES = frozenset(("goals:read",))


def tokens_of(folder: Path) -> Tokens:
    return Tokens(folder, issuer="https://tandem.example", audience="https://tandem.example")


def issue(tokens: Tokens) -> str:
    return tokens.issue(subject=uuid7(), client=uuid7(), scopes=SCOPES, session=uuid7())


def age(key: keys.KeyFile, seconds: float) -> None:
    moment = time.time() - seconds
    os.utime(key.path, (moment, moment))


def shown(tokens: Tokens) -> list[str]:
    return [key["kid"] for key in tokens.jwks()["keys"]]


@pytest.mark.parametrize("algorithm", ["ES256", "RS256"])
def test_the_first_key_is_made_once_and_is_its_owners_alone(tmp_path: Path, algorithm: str) -> None:
    keys.ensure(tmp_path / "keys", algorithm)
    keys.ensure(tmp_path / "keys", algorithm)
    (key,) = keys.read(tmp_path / "keys", algorithm)
    assert key.path.stat().st_mode & 0o777 == 0o600
    assert keys.signing([key]) == key


def test_a_new_key_is_shown_before_it_signs(tmp_path: Path) -> None:
    one, other = tokens_of(tmp_path), tokens_of(tmp_path)
    (old,) = shown(one)
    new = keys.rotate(tmp_path, "ES256")
    for tokens in (one, other):
        tokens.follow()
        assert shown(tokens) == [old, new.kid]
        assert tokens._signing.kid == old
    before = issue(one)
    assert keys.ANNOUNCED_SECONDS > keys.KEY_SET_SECONDS
    age(new, keys.ANNOUNCED_SECONDS - 5)
    one._take(keys.read(tmp_path, "ES256"))
    assert one._signing.kid == old
    age(new, keys.ANNOUNCED_SECONDS + 1)
    for tokens in (one, other):
        tokens._take(keys.read(tmp_path, "ES256"))
        assert tokens._signing.kid == new.kid
        assert tokens.verify(before)
        assert tokens.verify(issue(one))


def test_time_alone_lets_it_sign(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = tokens_of(tmp_path)
    new = keys.rotate(tmp_path, "ES256")
    tokens.follow()
    moment = time.time() + keys.ANNOUNCED_SECONDS + 1
    monkeypatch.setattr("app.core.keys.time.time", lambda: moment)
    tokens.follow()
    assert tokens._signing.kid == new.kid


def test_a_key_that_is_not_known_is_looked_for_but_not_all_the_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = tokens_of(tmp_path), tokens_of(tmp_path)
    keys.rotate(tmp_path, "ES256", at_once=True)
    one.follow()
    token = issue(one)
    looks = []
    follow = other.follow
    monkeypatch.setattr(other, "follow", lambda: (looks.append(1), follow()))
    assert other.verify(token)
    assert len(looks) == 1
    forged = token.replace(token.partition(".")[0], tokens_of(tmp_path / "x").issue(
        subject=uuid7(), client=uuid7(), scopes=SCOPES, session=uuid7()
    ).partition(".")[0])  # fmt: skip
    for _ in range(100):
        with pytest.raises(Unauthenticated):
            other.verify(forged)
    assert len(looks) == 1


def test_only_a_key_whose_tokens_are_over_is_retired(tmp_path: Path) -> None:
    tokens = tokens_of(tmp_path)
    (old,) = shown(tokens)
    token = issue(tokens)
    assert tokens.verify(token)
    with pytest.raises(Conflict, match="signs"):
        keys.retire(tmp_path, "ES256", old)
    with pytest.raises(Conflict, match="signs"):
        keys.retire(tmp_path, "ES256", old, at_once=True)
    with pytest.raises(NotFound):
        keys.retire(tmp_path, "ES256", "nobody")
    new = keys.rotate(tmp_path, "ES256", at_once=True)
    with pytest.raises(Conflict, match="still live"):
        keys.retire(tmp_path, "ES256", old)
    age(new, keys.ANNOUNCED_SECONDS + keys.OVERLAP_SECONDS + 1)
    keys.retire(tmp_path, "ES256", old)
    tokens.follow()
    assert shown(tokens) == [new.kid]
    # Although it was verified before.
    with pytest.raises(Unauthenticated):
        tokens.verify(token)


def test_an_id_that_begins_with_a_hyphen_is_no_option_of_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TANDEM_VAR", str(tmp_path))
    settings.cache_clear()
    answer = CliRunner().invoke(app, ["keys", "retire", "-qqBYL32s4_LBCnowwwhelp"])
    settings.cache_clear()
    assert isinstance(answer.exception, NotFound), answer.output


def test_a_folder_that_cannot_be_read_leaves_what_is_known(tmp_path: Path) -> None:
    tokens = tokens_of(tmp_path / "keys")
    token = issue(tokens)
    (tmp_path / "keys" / "ES256-0002.pem").write_bytes(b"half a co")
    tokens.follow()
    assert tokens.verify(token)
    (tmp_path / "keys" / "ES256-0002.pem").unlink()
    (tmp_path / "keys").rename(tmp_path / "away")
    tokens.follow()
    assert tokens.verify(issue(tokens))


def test_a_session_that_has_ended_is_refused_although_its_token_was_verified(
    tmp_path: Path,
) -> None:
    tokens = tokens_of(tmp_path)
    session, client = uuid7(), uuid7()
    mine, other = (
        tokens.issue(subject=uuid7(), client=client, scopes=SCOPES, session=which)
        for which in (session, uuid7())
    )
    own = tokens.issue(subject=client, client=client, scopes=SCOPES)
    for token in (mine, other, own):
        assert tokens.verify(token)
    tokens.end([session])
    with pytest.raises(Unauthenticated, match="ended"):
        tokens.verify(mine)
    assert tokens.verify(other)
    tokens.end([client])
    for token in (mine, other, own):
        with pytest.raises(Unauthenticated, match="ended"):
            tokens.verify(token)
    # A client that is let in again.
    tokens.set_ended([session])
    assert tokens.verify(other)
    with pytest.raises(Unauthenticated, match="ended"):
        tokens.verify(mine)
