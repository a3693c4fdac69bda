"""Many clients in the same moment, against real processes: two of them where the database allows it.

What is sent at once is sent by threads that start together; each round is another record.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.core.ids import uuid7
from tests.conftest import postgresql_database, prepare
from tests.servers import Person, Server, serving

ROUNDS = 6


@pytest.fixture(scope="module")
def server(
    backend: str, worker_id: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("var")
    if backend == "sqlite":
        url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'tandem.db'}"
        prepare(url)
        with serving(url, folder) as started:
            yield started
    else:
        with postgresql_database(f"storm_{worker_id}") as url:
            prepare(url)
            with serving(url, folder, workers=2) as started:
                yield started


@pytest.fixture(scope="module")
def http(server: Server) -> Iterator[httpx.Client]:
    with httpx.Client(
        base_url=server.base, timeout=60, limits=httpx.Limits(max_connections=40)
    ) as client:
        yield client


@pytest.fixture(scope="module")
def learner(server: Server, http: httpx.Client) -> Person:
    return Person.of(server, http, "learner")


def at_once(acts: Sequence[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    """The answers to requests that are sent in the same moment."""
    start = threading.Barrier(len(acts))

    def send(act: Callable[[], httpx.Response]) -> httpx.Response:
        start.wait(30)
        return act()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(send, acts))


def problems(answers: Sequence[httpx.Response]) -> Counter[str]:
    return Counter(a.json()["type"].rpartition("/")[2] for a in answers if a.is_error)


def new_goal(learner: Person, **fields: Any) -> httpx.Response:
    made = learner.post("/v1/goals", json={"statement": "At once.", **fields})
    assert made.status_code == 201, made.text
    return made


def listed(person: Person, path: str, **query: Any) -> list[dict[str, Any]]:
    """A whole list, page by page."""
    found: list[dict[str, Any]] = []
    query = {"limit": 200, **query}
    while True:
        page = person.get(path, params=query).json()
        found += page["items"]
        if page["next"] is None:
            return found
        query["cursor"] = page["next"]


@pytest.mark.parametrize("path", ["/v1/goals", "/v1/evidence-items"])
def test_of_eight_writers_with_one_etag_one_wins_and_seven_see_what_won(
    learner: Person, path: str
) -> None:
    field = "baseline" if path == "/v1/goals" else "description"
    for _ in range(ROUNDS):
        made = learner.post(
            path,
            json={"statement": "One."}
            if path == "/v1/goals"
            else {"kind": "other", "title": "One"},
        )
        one, etag = f"{path}/{made.json()['id']}", made.headers["ETag"]
        answers = at_once(
            [partial(learner.patch, one, etag, json={field: f"Writer {i}."}) for i in range(8)]
        )
        assert sorted(a.status_code for a in answers) == [200] + [412] * 7
        won = next(a for a in answers if a.status_code == 200)
        for lost in (a for a in answers if a.status_code == 412):
            assert lost.json()["current"] == won.json()
            assert lost.headers["ETag"] == won.headers["ETag"]
        now = learner.get(one)
        assert (now.json(), now.headers["ETag"]) == (won.json(), won.headers["ETag"])
        assert now.json()["version"] == 2


def test_editors_who_merge_what_a_412_shows_them_lose_no_word(learner: Person) -> None:
    """Four editors add five lines each; who comes too late adds to what `current` holds."""
    made = new_goal(learner, baseline="Begun.")
    path = f"/v1/goals/{made.json()['id']}"

    def edit(editor: int) -> int:
        text, etag, refused = made.json()["baseline"], made.headers["ETag"], 0
        for line in range(5):
            while True:
                said = f"{text}\nEditor {editor}, line {line}."
                answer = learner.patch(path, etag, json={"baseline": said})
                shown = answer.json()
                if answer.status_code == 412:
                    refused, shown = refused + 1, shown["current"]
                else:
                    assert answer.status_code == 200, answer.text
                text, etag = shown["baseline"], answer.headers["ETag"]
                if answer.status_code == 200:
                    break
        return refused

    with ThreadPoolExecutor(4) as pool:
        refused = sum(pool.map(edit, range(4)))
    last = learner.get(path).json()
    lines = last["baseline"].splitlines()
    assert sorted(lines[1:]) == sorted(f"Editor {e}, line {n}." for e in range(4) for n in range(5))
    assert last["version"] == 21
    assert refused, "nobody was ever in another's way"


def test_twelve_with_one_key_make_one_record_and_one_answer(learner: Person) -> None:
    before = len(listed(learner, "/v1/goals"))
    for _ in range(ROUNDS):
        key, body = {"Idempotency-Key": str(uuid4())}, {"statement": "Twelve times."}
        answers = at_once([partial(learner.post, "/v1/goals", headers=key, json=body)] * 12)
        last = learner.post("/v1/goals", headers=key, json=body)
        made = [a for a in (*answers, last) if a.status_code == 201]
        assert problems(answers) == {"request-in-progress": 13 - len(made)} or len(made) == 13
        assert len({a.content for a in made}) == 1
        assert len({a.headers["Location"] for a in made}) == 1
        # One was the first; all others are said to be repeats.
        replayed = [a for a in made if a.headers.get("Idempotency-Replayed") == "true"]
        assert len(replayed) == len(made) - 1
        assert last in replayed
        for waiting in (a for a in answers if a.status_code == 409):
            assert waiting.headers["Retry-After"] == "1"
    assert len(listed(learner, "/v1/goals")) == before + ROUNDS


@pytest.mark.parametrize("act", ["proposal", "progress"])
def test_an_act_that_is_sent_twelve_times_with_one_key_is_done_once(
    learner: Person, act: str
) -> None:
    """Done a second time the one is refused, and the other noted again: a repeat must not get there."""
    body = {"note": "Once."} if act == "progress" else None
    for _ in range(ROUNDS):
        path = f"/v1/goals/{new_goal(learner).json()['id']}"
        key = {"Idempotency-Key": str(uuid4())}
        answers = at_once([partial(learner.post, f"{path}/{act}", headers=key, json=body)] * 12)
        assert set(problems(answers)) <= {"request-in-progress"}, problems(answers)
        done = [a for a in answers if a.is_success]
        assert len({a.content for a in done}) == 1
        assert learner.get(path).json()["version"] == 2
        assert len(listed(learner, f"{path}/progress")) == (act == "progress")


def test_a_key_with_two_bodies_at_once_is_one_record_and_the_other_is_refused(
    learner: Person,
) -> None:
    for _ in range(ROUNDS):
        key = {"Idempotency-Key": str(uuid4())}
        answers = at_once(
            [
                partial(learner.post, "/v1/goals", headers=key, json={"statement": f"{i % 2}"})
                for i in range(8)
            ]
        )
        made = [a for a in answers if a.status_code == 201]
        assert len({a.json()["id"] for a in made}) == 1
        assert set(problems(answers)) <= {"request-in-progress", "idempotency-key-reused"}
        refused = {True: "0", False: "1"}[made[0].json()["statement"] == "1"]
        again = learner.post("/v1/goals", headers=key, json={"statement": refused})
        assert again.json()["type"].endswith("/problems/idempotency-key-reused")


def test_an_id_made_by_a_client_and_sent_eight_times_at_once_is_one_record(
    learner: Person,
) -> None:
    for _ in range(ROUNDS):
        body = {"id": str(uuid7()), "statement": "From a device."}
        answers = at_once([partial(learner.post, "/v1/goals", json=body)] * 8)
        statuses = Counter(a.status_code for a in answers)
        assert statuses[201] == 1
        assert statuses[200] + statuses[409] == 7
        assert set(problems(answers)) <= {"request-in-progress"}
        assert {a.json()["id"] for a in answers if a.is_success} == {body["id"]}
        assert learner.post("/v1/goals", json=body).status_code == 200
        assert learner.get(f"/v1/goals/{body['id']}").json()["version"] == 1


def test_of_two_records_that_claim_one_id_at_once_one_is_made(
    server: Server, http: httpx.Client, learner: Person
) -> None:
    coach = Person.of(server, http, "coach")
    for _ in range(ROUNDS):
        taken = str(uuid7())
        senders = [(who, n) for who in (learner, coach) for n in range(3)]
        answers = at_once(
            [
                partial(who.post, "/v1/goals", json={"id": taken, "statement": f"{n}"})
                for who, n in senders
            ]
        )
        assert Counter(a.status_code for a in answers) == {201: 1, 409: 5}
        assert set(problems(answers)) <= {"request-in-progress", "id-taken"}
        shown = [who.get(f"/v1/goals/{taken}").status_code for who in (learner, coach)]
        assert sorted(shown) == [200, 404]


def test_what_was_written_offline_and_is_sent_by_three_phones_at_once_is_there_once(
    learner: Person,
) -> None:
    """A day's records, each with its id and key, sent again and again until each is acknowledged."""
    queued = [{"id": str(uuid7()), "statement": f"Offline {n}."} for n in range(40)]
    begun = {goal["id"] for goal in listed(learner, "/v1/goals")}

    def phone(number: int) -> Counter[int]:
        told: Counter[int] = Counter()
        waiting = random.Random(number).sample(queued, len(queued))
        while waiting:
            unsure = []
            for body in waiting:
                # Half are acknowledged and sent again all the same: the answer was lost on the way.
                for _ in range(2):
                    answer = learner.post(
                        "/v1/goals", headers={"Idempotency-Key": body["id"]}, json=body
                    )
                    told[answer.status_code] += 1
                if answer.status_code not in (200, 201):
                    assert answer.status_code == 409, answer.text
                    assert answer.json()["type"].endswith("/problems/request-in-progress")
                    unsure.append(body)
            waiting = unsure
        return told

    with ThreadPoolExecutor(3) as pool:
        told = sum(pool.map(phone, range(3)), Counter())
    assert told[200] + told[201] >= 3 * 40
    after = [goal["id"] for goal in listed(learner, "/v1/goals")]
    assert len(after) == len(set(after))
    assert set(after) - begun == {body["id"] for body in queued}


def walked(person: Person, path: str, over: threading.Event) -> list[list[str]]:
    """Ids of a list, walked again and again in small pages until `over`, and once more."""
    walks = []
    while True:
        last = over.is_set()
        walks.append([row["id"] for row in listed(person, path, limit=7)])
        if last:
            return walks


@pytest.mark.parametrize("path", ["/v1/goals", "/v1/evidence-items"])
def test_a_list_that_is_walked_while_rows_come_and_go_shows_every_lasting_row_once(
    learner: Person, path: str
) -> None:
    plain = {"statement": "Here."} if path == "/v1/goals" else {"kind": "other", "title": "Here"}
    passing: list[str] = []
    # Ids of an hour ago, too, so that rows come and go in the middle of the list.
    earlier = [str(uuid7()) for _ in range(400)]
    lasting = []
    for n in range(60):
        made = learner.post(path, json={**plain, **({"id": earlier[n * 6]} if n % 2 else {})})
        assert made.status_code == 201, made.text
        lasting.append(made.json()["id"])
    over = threading.Event()

    def come_and_go(number: int) -> int:
        moves, dice = 0, random.Random(number)
        free = [i for n, i in enumerate(earlier) if n % 6 and n % 2 == number]
        mine: list[str] = []
        while not over.is_set():
            if mine and dice.random() < 0.5:
                gone = mine.pop(dice.randrange(len(mine)))
                answer = learner.call("DELETE", f"{path}/{gone}", headers={"If-Match": "*"})
                assert answer.status_code == 204, answer.text
            else:
                placed = {"id": free.pop()} if free and dice.random() < 0.5 else {}
                answer = learner.post(path, json={**plain, **placed})
                assert answer.status_code == 201, answer.text
                mine.append(answer.json()["id"])
                passing.append(mine[-1])
            moves += 1
        return moves

    with ThreadPoolExecutor(4) as pool:
        walkers = [pool.submit(walked, learner, path, over) for _ in range(2)]
        movers = [pool.submit(come_and_go, n) for n in range(2)]
        over.wait(3)
        over.set()
        moves = sum(m.result() for m in movers)
        walks = [walk for w in walkers for walk in w.result()]
    assert moves > 20
    print(f"{len(walks)} walks, {moves} rows came or went")
    for walk in walks:
        assert walk == sorted(walk, reverse=True)
        assert len(walk) == len(set(walk))
        assert set(lasting) <= set(walk)
    # What came and went was met on the way, or the walks have proved nothing.
    assert any(set(walk) & set(passing) for walk in walks)
