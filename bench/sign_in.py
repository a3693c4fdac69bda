"""Signing in with a wrong password, for an address that is known and one that is not: `python -m bench.sign_in`.

In one process, over HTTP without a network, in turns, so that both meet the same machine. With `right`
as well, which is no secret. Prints milliseconds; never passes or fails.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

os.environ["TANDEM_PASSWORD_GRANT"] = "true"
os.environ["TANDEM_FAILURES_ACCOUNT"] = os.environ["TANDEM_FAILURES_ADDRESS"] = "1000000"
os.environ["TANDEM_RATE_ADDRESS"] = os.environ["TANDEM_RATE_CALLER"] = "0"

TIMES = 300


async def measure(times: int) -> dict[str, list[float]]:
    """Seconds of each attempt, by what was tried."""
    import httpx

    from app.actions import accounts
    from app.core.clock import now
    from app.core.ids import uuid7
    from app.main import create_app
    from app.models.people import SignInIdentity

    found: dict[str, list[float]] = {
        "known": [],
        "unknown": [],
        "forgotten known": [],
        "forgotten unknown": [],
    }
    app = create_app()
    async with app.router.lifespan_context(app):
        async with app.state.database.work() as unit:
            await accounts.ensure_public_client(unit)
            first = await accounts.create_operator(
                unit, name="Eleri", email="known@school.example", password="correct horse battery"
            )
            for number in range(times + 10):
                identity = SignInIdentity(
                    id=uuid7(), person_id=first, email=f"known{number}@school.example",
                    password_hash="$argon2id$never", created_at=now(),
                )  # fmt: skip
                await unit.insert(identity)
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as http:
            page = (await http.get("/account/forgotten")).text
            browser = page.partition('name="browser" value="')[2].partition('"')[0]
            for number in range(times + 10):
                for who in ("known", "unknown"):
                    form = {
                        "grant_type": "password", "username": f"{who}@school.example", "password": "wrong",
                    }  # fmt: skip
                    began = time.perf_counter()
                    answer = await http.post("/oauth/token", data=form)
                    took = time.perf_counter() - began
                    assert answer.status_code == 400, answer.text
                    forgotten = {"browser": browser, "email": f"{who}{number}@school.example"}
                    began = time.perf_counter()
                    answer = await http.post("/account/forgotten", data=forgotten)
                    asked = time.perf_counter() - began
                    assert answer.status_code == 200, answer.text
                    if number >= 10:
                        found[who].append(took)
                        found[f"forgotten {who}"].append(asked)
    return found


def main() -> None:
    """Measures on a new SQLite, or on the PostgreSQL that is named."""
    from app.core.settings import settings
    from app.migrations import upgrade

    with tempfile.TemporaryDirectory() as folder:
        os.environ["TANDEM_VAR"] = str(Path(folder))
        if len(sys.argv) > 1:
            os.environ["TANDEM_DATABASE_URL"] = sys.argv[1]
        settings.cache_clear()
        upgrade(settings().database_url)
        found = asyncio.run(measure(TIMES))
    for name, seconds in found.items():
        values = sorted(value * 1000 for value in seconds)
        print(
            f"{name:<18} median {statistics.median(values):7.2f}  mean {statistics.mean(values):7.2f}"
            f"  90 % {values[int(len(values) * 0.9)]:7.2f}"
        )


if __name__ == "__main__":
    main()
