"""The demonstration: made once, kept for ever, its secrets for their owner alone."""

import json
import stat
from pathlib import Path

from app.core.settings import Settings
from tests.servers import Server


def test_the_demonstration_is_made_once_and_the_next_start_keeps_everything(
    fresh_url: str, tmp_path: Path
) -> None:
    server = Server(fresh_url, tmp_path)
    first = server.command("demonstrate")
    assert first.returncode == 0, first.stdout + first.stderr
    file = tmp_path / "demo.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    found = json.loads(file.read_text())
    roles = ["learner", "coach", "tutor", "head_teacher", "cluster_lead", "administrator"]
    assert [account["role"] for account in found["accounts"]] == roles
    assert len({account["password"] for account in found["accounts"]}) == len(roles)
    assert set(found["client"]) == {"client_id", "client_secret"}
    assert "/docs" in first.stdout
    for account in found["accounts"]:
        assert account["email"] in first.stdout
        assert account["password"] in first.stdout
    again = server.command("demonstrate")
    assert again.returncode == 0
    assert json.loads(file.read_text()) == found
    assert "cluster made" not in again.stdout


def test_the_embedded_database_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "tandem.db"
    server = Server(f"sqlite:///{path}", tmp_path)
    assert server.command("migrate").returncode == 0
    for file in path.parent.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600, file


def test_the_password_grant_is_off_unless_a_setting_turns_it_on() -> None:
    assert Settings.model_fields["password_grant"].default is False
