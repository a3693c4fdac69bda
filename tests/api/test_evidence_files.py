"""Files of evidence items over HTTP: whoever reads the item reads its files, and nobody else."""

import hashlib
import io
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image
from sqlalchemy import select

from app.actions.evidence.files import MOST_FILES
from app.core.clock import today
from app.core.errors import Unavailable
from app.core.files import store
from app.core.ids import uuid7
from app.core.journal import journal
from app.core.query import Query
from app.models.evidence import EvidenceFile
from app.models.receipts import Receipt
from tests.api.test_evidence import CHILDREN, OPEN, PATH, leave_school, set_date
from tests.worlds import World

pytestmark = pytest.mark.anyio

PDF = b"%PDF-1.7\n" + bytes(range(256)) * 40 + b"\n%%EOF\n"


def photo() -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "SecretCam"
    exif.get_ifd(0x8825).update({1: "N", 2: (53.0, 13.0, 12.0), 3: "W", 4: (4.0, 10.0, 0.0)})
    out = io.BytesIO()
    Image.new("RGB", (40, 30), "teal").save(out, format="JPEG", exif=exif)
    return out.getvalue()


async def keys(world: World, item: dict[str, Any]) -> list[str]:
    """Where the store keeps the files that an item has rows for."""
    query = Query(
        select(EvidenceFile.__table__.c.key).where(
            EvidenceFile.__table__.c.evidence_item_id == UUID(item["id"])
        )
    )
    return [row[0] for row in await world.database.rows(query, {})]


async def is_there(key: str) -> bool:
    try:
        return [chunk async for chunk in store().read(key, 0, 1)] != []
    except Unavailable:
        return False


async def stored() -> set[str]:
    return {kept.key async for kept in store().all()}


async def test_a_photo_comes_back_without_where_it_was_taken(world: World) -> None:
    item = await world.evidence(await world.agreement())
    sent = photo()
    assert Image.open(io.BytesIO(sent)).getexif().get_ifd(0x8825)
    file = await world.file(item, sent, "Dosbarth 7B.jpg")
    assert (file["name"], file["media_type"]) == ("Dosbarth 7B.jpg", "image/jpeg")
    got = await world.coach.get(f"{PATH}/{item['id']}/files/{file['id']}/content")
    assert got.status_code == 200
    assert dict(Image.open(io.BytesIO(got.content)).getexif()) == {}
    assert b"SecretCam" not in got.content
    assert len(got.content) == file["size"]
    assert hashlib.sha256(got.content).hexdigest() == file["sha256"]


async def test_a_download_is_saved_never_shown_and_goes_on_where_it_broke_off(
    world: World,
) -> None:
    item = await world.evidence()
    file = await world.file(item, PDF, "Cynllun gwaith Ŵ.pdf")
    path = f"{PATH}/{item['id']}/files/{file['id']}/content"
    whole = await world.learner.get(path)
    assert whole.content == PDF
    headers = whole.headers
    assert headers["Content-Type"] == "application/pdf"
    assert headers["Content-Disposition"].startswith("attachment; filename=")
    assert "filename*=UTF-8''" in headers["Content-Disposition"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert headers["ETag"] == f'"{file["sha256"]}"'
    part = await world.learner.get(path, headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, PDF[1000:2000])
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(PDF)}"
    beyond = await world.learner.get(path, headers={"Range": f"bytes={len(PDF)}-"})
    assert beyond.status_code == 416
    known = await world.learner.get(path, headers={"If-None-Match": headers["ETag"]})
    assert (known.status_code, known.content) == (304, b"")


async def test_an_item_shows_its_files_and_each_is_known_by_itself(world: World) -> None:
    item = await world.evidence(await world.agreement())
    path = f"{PATH}/{item['id']}"
    added = [await world.file(item, f"{n}".encode(), f"{n}.txt") for n in range(3)]
    read = await world.coach.get(path)
    assert read.json()["files"] == added
    assert read.json()["version"] == 4
    listed = await world.coach.get(f"{path}/files")
    assert listed.json() == {"items": added, "next": None}
    one = await world.coach.get(f"{path}/files/{added[1]['id']}")
    assert one.json() == added[1]
    assert one.headers["ETag"] == read.headers["ETag"]
    page = (await world.coach.get(PATH)).json()["items"]
    assert page[0]["files"] == added
    answer = await world.learner.post(f"{path}/files", files={"file": ("a.txt", b"a")})
    where = answer.headers["Location"]
    assert where.endswith(f"{path}/files/{answer.json()['id']}")


async def test_who_reads_the_item_reads_its_files_until_unticked(world: World) -> None:
    item = await world.evidence(await world.agreement(**OPEN), readers=["coaches"])
    file = await world.file(item)
    path = f"{PATH}/{item['id']}/files"
    for ending in ("", f"/{file['id']}", f"/{file['id']}/content"):
        seen = {
            who: (await actor.get(f"{path}{ending}")).status_code
            for who, actor in world.actors.items()
        }
        assert {who for who, status in seen.items() if status == 200} == {"learner", "coach"}
        assert set(seen.values()) == {200, 404}
    unticked = await world.learner.patch(f"{PATH}/{item['id']}", json={"readers": []})
    assert unticked.status_code == 200
    assert (await world.coach.get(f"{path}/{file['id']}/content")).status_code == 404


async def test_a_hidden_file_and_one_that_is_not_there_are_the_same(world: World) -> None:
    item, other = await world.evidence(), await world.evidence()
    file = await world.file(item)
    bodies = []
    for actor, of, which in (
        (world.stranger, item, file["id"]),
        (world.stranger, item, uuid7()),
        (world.learner, item, uuid7()),
        (world.learner, other, file["id"]),
    ):
        for ending in ("", "/content"):
            answer = await actor.get(f"{PATH}/{of['id']}/files/{which}{ending}")
            assert answer.status_code == 404
            bodies.append({**answer.json(), "request_id": ""})
    assert all(body == bodies[0] for body in bodies)
    crossed = await world.learner.delete(f"{PATH}/{other['id']}/files/{file['id']}")
    assert crossed.status_code == 404
    assert await is_there((await keys(world, item))[0])


async def test_a_download_by_a_leader_is_receipted(world: World) -> None:
    item = await world.evidence(await world.agreement(**OPEN), shows_pupils="no")
    file = await world.file(item)
    path = f"{PATH}/{item['id']}/files/{file['id']}/content"
    assert (await world.coach.get(path)).status_code == 200
    assert (await world.head.get(path)).status_code == 200
    table: Any = Receipt.__table__
    query = Query(select(table.c.person_id).where(table.c.resource_id == UUID(item["id"])))
    readers = [UUID(str(row[0])) for row in await world.database.rows(query, {})]
    assert readers == [world.head.id]


async def test_only_the_owner_adds_and_what_is_refused_leaves_nothing(world: World) -> None:
    agreement = await world.agreement(**OPEN)
    item = await world.evidence(agreement, **CHILDREN)
    path = f"{PATH}/{item['id']}/files"
    before = await stored()
    sent = {"file": ("a.txt", b"text")}
    for actor, status in ((world.coach, 403), (world.client, 403), (world.stranger, 404)):
        assert (await actor.post(path, files=sent)).status_code == status
    wrong = {"file": ("a.html", b"<!doctype html><script>")}
    assert (await world.learner.post(path, files=wrong)).status_code == 415
    assert (await world.learner.post(path, json={"file": "x"})).status_code == 415
    assert (await world.learner.post(path, files={"other": ("a", b"x")})).status_code == 422
    await set_date(world, item, today())
    assert (await world.learner.post(path, files=sent)).status_code == 409
    await set_date(world, item, today() + timedelta(days=9))
    await leave_school(world)
    assert (await world.learner.post(path, files=sent)).status_code == 409
    open_item = await world.evidence(agreement, shows_pupils="no")
    await world.coach.post(f"/v1/learning-agreements/{agreement}/ending")
    over = await world.learner.post(f"{PATH}/{open_item['id']}/files", files=sent)
    assert over.status_code == 409
    assert await stored() == before
    assert await keys(world, item) == []


async def test_an_item_has_at_most_twenty_files(world: World) -> None:
    item = await world.evidence()
    for number in range(MOST_FILES):
        await world.file(item, b"x", f"{number}.txt")
    before = await stored()
    path = f"{PATH}/{item['id']}/files"
    full = await world.learner.post(path, files={"file": ("21.txt", b"x")})
    assert full.status_code == 409
    assert "20" in full.json()["detail"]
    assert await stored() == before


async def test_a_file_sent_again_with_its_key_is_one_file(world: World) -> None:
    item = await world.evidence()
    path, key = f"{PATH}/{item['id']}/files", {"Idempotency-Key": str(uuid4())}
    sent = {"file": ("a.txt", b"once")}
    first = await world.learner.post(path, headers=key, files=sent)
    again = await world.learner.post(path, headers=key, files=sent)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    other = await world.learner.post(path, headers=key, files={"file": ("a.txt", b"twice")})
    assert other.status_code == 422
    assert len(await keys(world, item)) == 1


async def test_deleting_a_file_removes_its_bytes_at_once(world: World) -> None:
    agreement = await world.agreement()
    item = await world.evidence(agreement)
    one, two = await world.file(item, b"1"), await world.file(item, b"2")
    first, second = sorted(await keys(world, item))
    path = f"{PATH}/{item['id']}/files/{one['id']}"
    assert (await world.learner.call("DELETE", path)).status_code == 428
    stale = await world.learner.delete(path, etag='"1.full.en"')
    assert stale.status_code == 412
    assert stale.json()["current"]["files"] == [one, two]
    assert (await world.coach.delete(path)).status_code == 403
    await world.coach.post(f"/v1/learning-agreements/{agreement}/ending")
    etag = (await world.learner.get(path)).headers["ETag"]
    assert (await world.learner.delete(path, etag=etag)).status_code == 204
    left = (await world.coach.get(f"{PATH}/{item['id']}")).json()
    assert (left["files"], left["version"]) == ([two], 4)
    assert [await is_there(key) for key in (first, second)].count(True) == 1
    assert (await world.coach.get(f"{path}/content")).status_code == 404


async def test_deleting_an_item_removes_the_bytes_of_all_its_files(world: World) -> None:
    item = await world.evidence()
    for number in range(3):
        await world.file(item, b"x", f"{number}.txt")
    held = await keys(world, item)
    assert all([await is_there(key) for key in held])
    assert (await world.learner.delete(f"{PATH}/{item['id']}")).status_code == 204
    assert await keys(world, item) == []
    assert not any([await is_there(key) for key in held])
    query = Query(
        select(journal.c.action)
        .where(journal.c.resource_id == UUID(item["id"]))
        .order_by(journal.c.sequence)
    )
    actions = [row[0] for row in await world.database.rows(query, {})]
    assert actions == ["created", *["file_added"] * 3, "deleted"]


async def test_a_store_that_is_away_keeps_nobody_from_deleting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = await world.evidence()
    await world.file(item)
    (key,) = await keys(world, item)

    async def away(key: str) -> None:
        raise Unavailable("The files cannot be reached just now.")

    with monkeypatch.context() as patched:
        patched.setattr(store(), "delete", away)
        assert (await world.learner.delete(f"{PATH}/{item['id']}")).status_code == 204
    assert (await world.learner.get(f"{PATH}/{item['id']}")).status_code == 404
    # The sweep finds it.
    assert await is_there(key)


async def test_from_its_date_on_no_file_is_listed_or_sent(world: World) -> None:
    item = await world.evidence(await world.agreement(), **CHILDREN)
    file = await world.file(item)
    path = f"{PATH}/{item['id']}"
    await set_date(world, item, today())
    for actor in (world.learner, world.coach):
        assert (await actor.get(path)).json()["files"] == []
        assert (await actor.get(f"{path}/files")).json()["items"] == []
        for ending in ("", "/content"):
            answer = await actor.get(f"{path}/files/{file['id']}{ending}")
            assert answer.status_code == 404


async def test_withheld_from_its_owner_are_the_files_too(world: World) -> None:
    item = await world.evidence(await world.agreement(), **CHILDREN)
    file = await world.file(item)
    path = f"{PATH}/{item['id']}/files"
    await leave_school(world)
    assert (await world.learner.get(path)).json()["items"] == []
    assert (await world.learner.get(f"{path}/{file['id']}/content")).status_code == 404
    assert (await world.learner.delete(f"{path}/{file['id']}")).status_code == 404
    assert (await world.coach.get(f"{path}/{file['id']}/content")).status_code == 200


async def test_who_has_left_reads_the_files_of_their_time(world: World) -> None:
    agreement = await world.agreement(disclosure={"former_parties": "their_time"})
    goal = await world.goal(agreement)
    item = await world.evidence(agreement, goal_ids=[goal["id"]])
    then, gone = await world.file(item, b"then"), await world.file(item, b"gone")
    path = f"{PATH}/{item['id']}"
    left = await world.coach.post(f"/v1/learning-agreements/{agreement}/departure")
    assert left.status_code < 300, left.text
    # The learner goes on alone with what was theirs all along.
    await world.learner.delete(f"{path}/files/{gone['id']}")
    kept = await world.coach.get(path)
    assert kept.status_code == 200
    body = kept.json()
    assert (body["view"], body["title"], body["files"]) == ("kept", "Talk in pairs", [then])
    assert body["goal_ids"] == [goal["id"]]
    assert (await world.coach.get(f"{path}/files/{then['id']}/content")).content == b"then"
    assert (await world.coach.get(f"{path}/files/{gone['id']}/content")).status_code == 404
    await set_date(world, item, today())
    later = await world.coach.get(path, headers={"If-None-Match": kept.headers["ETag"]})
    assert later.status_code == 404
    assert (await world.coach.get(f"{path}/files/{then['id']}/content")).status_code == 404
