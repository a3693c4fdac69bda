"""The `tandem` command on the day of the story: its clock begins at 8 o'clock on Monday, 7 September 2026.

Tokens are judged by the machine's own clock, so that the tests can make them. `stage` prepares the
database for the story.
"""

import sys
import time
from datetime import UTC, datetime, timedelta

from app.core import clock, one_time

BEGIN = datetime(2026, 9, 7, 8, tzinfo=UTC)
_started = time.monotonic()


def _now() -> datetime:
    return BEGIN + timedelta(seconds=time.monotonic() - _started)


# Before anything else is imported, which takes `now` from there.
clock.now = _now

# The codes of the story are those of its first half minute, however long the telling takes.
one_time.now = lambda: BEGIN

if __name__ == "__main__":
    if sys.argv[1:] == ["stage"]:
        from tests.documented import stage

        stage.main()
    else:
        from app import cli

        cli.main()
