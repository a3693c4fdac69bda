"""Every security event is in the journal: each is brought about once, and looked for there."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from app.access.addresses import take_effect
from app.access.clients import fingerprint
from app.access.identity_providers import find_provider
from app.actions import accounts, sign_in
from app.core import journal, keys
from app.core.clock import now
from app.core.passwords import hash_secret
from app.core.security_events import NOBODY, SecurityEvent
from app.core.settings import settings
from app.models.people import AffiliationRole, SignInIdentity
from app.models.ways_in import AddressChange
from tests.federating import known_to
from tests.joining import make_two
from tests.mailboxes import NEW, Post, answer, change_rows
from tests.scim import School, directory_of
from tests.second_factors import enrolled
from tests.signing_in import PASSWORD, Desk, make_desk
from tests.worlds import World, affiliate

pytestmark = pytest.mark.anyio

E = SecurityEvent


@pytest.fixture
async def desk(world: World) -> Desk:
    return await make_desk(world)


async def wrong_password(desk: Desk) -> UUID:
    page = await desk.browser.open(desk.app.request())
    await desk.browser.sign_in(page, desk.email, "wrong")
    return desk.identity


async def signs_in(desk: Desk) -> UUID:
    token = (await desk.tokens())["access_token"]
    session: UUID = desk.world.app.state.tokens.verify(token).session
    return session


async def signs_out(desk: Desk) -> UUID:
    token = (await desk.tokens())["access_token"]
    form = {"token": token, **desk.app.credentials()}
    session: UUID = desk.world.app.state.tokens.verify(token).session
    await desk.http.post("/oauth/revoke", data=form)
    return session


async def code_twice(desk: Desk) -> UUID:
    code = await desk.browser.code(desk.app, desk.email)
    token = (await desk.token(desk.app.exchange(code))).json()["access_token"]
    session: UUID = desk.world.app.state.tokens.verify(token).session
    await desk.token(desk.app.exchange(code))
    return session


async def refresh_twice(desk: Desk) -> UUID:
    first = await desk.tokens()
    session: UUID = desk.world.app.state.tokens.verify(first["access_token"]).session
    second = (await desk.token(desk.app.refresh(first["refresh_token"]))).json()
    await desk.token(desk.app.refresh(second["refresh_token"]))
    await desk.token(desk.app.refresh(first["refresh_token"]))
    return session


def decides(decision: str) -> Callable[[Desk], Awaitable[UUID]]:
    async def decide(desk: Desk) -> UUID:
        page = await desk.browser.open(desk.app.request())
        await desk.browser.decide(await desk.browser.sign_in(page, desk.email), decision)
        return desk.app.id

    return decide


async def client(desk: Desk) -> UUID:
    return (await desk.confidential()).id


async def rotated(desk: Desk) -> UUID:
    made = await desk.confidential()
    async with desk.world.database.work() as unit:
        await accounts.add_secret(unit, actor=journal.COMMAND_LINE, client_id=made.id)
    return made.id


def changed(**change: Any) -> Callable[[Desk], Awaitable[UUID]]:
    async def change_it(desk: Desk) -> UUID:
        made = await desk.confidential()
        answer = await desk.world.operator.patch(f"/v1/clients/{made.id}", json=change)
        assert answer.status_code == 200, answer.text
        return made.id

    return change_it


async def removed(desk: Desk) -> UUID:
    made = await desk.confidential()
    assert made.secret is not None
    shown_as = fingerprint(hash_secret(made.secret))
    path = f"/v1/clients/{made.id}/secrets/{shown_as}"
    assert (await desk.world.administrator.delete(path)).status_code == 204
    return made.id


async def disabled(desk: Desk) -> UUID:
    made = await desk.confidential()
    async with desk.world.database.work() as unit:
        await accounts.disable_client(unit, actor=journal.COMMAND_LINE, client_id=made.id)
    return made.id


async def replayed(desk: Desk) -> UUID:
    from tests.api.test_client_assertions import Keyed, public, signer_of

    signer = signer_of("ES256")
    app = await desk.confidential(keys={"keys": [public(signer, "ES256")]})
    keyed = Keyed(desk, app.id, signer, None)
    form = keyed.form(keyed.signed())
    for _ in range(2):
        await desk.token(form)
    return app.id


async def identity(desk: Desk) -> UUID:
    return desk.identity


async def closed(desk: Desk) -> UUID:
    async with desk.world.database.work() as unit:
        await accounts.close_identity(unit, actor=journal.COMMAND_LINE, identity_id=desk.identity)
    return desk.identity


async def provider_created(desk: Desk) -> UUID:
    return await known_to(desk, "https://login.example")


async def provider_changed(desk: Desk) -> UUID:
    made = await provider_created(desk)
    change = {"enabled": False}
    done = await desk.world.operator.patch(f"/v1/identity-providers/{made}", json=change)
    assert done.status_code == 200, done.text
    return made


async def provider_refused(desk: Desk) -> UUID:
    """A provider whose answer nobody believes: it comes back with another's name."""
    made = await known_to(desk, "https://login.example")
    database = desk.world.database
    provider = await find_provider(database, made)
    assert provider is not None
    refusal = sign_in.Refusal("not_believed", "issuer")
    await sign_in.note_refusal(database, provider, refusal, client_id=desk.app.id)
    return made


async def linked(desk: Desk) -> UUID:
    made = await known_to(desk, "https://login.example")
    provider = await find_provider(desk.world.database, made)
    assert provider is not None
    claims = {"sub": desk.email, "email": desk.email, "email_verified": True}
    found = await sign_in.recognise(desk.world.database, provider, claims, client_id=desk.app.id)
    return found.id


async def unlinked(desk: Desk) -> UUID:
    identity = await linked(desk)
    (link,) = (await desk.world.learner.get("/v1/me/identity-links")).json()
    body = {"identity_id": str(identity), "provider_id": link["provider"]["id"]}
    done = await desk.world.learner.post("/v1/me/identity-links/removal", json=body)
    assert done.status_code == 204, done.text
    return identity


def by_scim(*steps: Callable[[School, str], Awaitable[Any]]) -> Callable[[Desk], Awaitable[UUID]]:
    """A user whom a directory brings, of the person whom the desk is about, and what it does then."""

    async def bring(desk: Desk) -> UUID:
        school = await directory_of(desk.world, desk.world.school)
        made = await school.brings()
        async with desk.world.database.work() as unit:
            await unit.begin()
            await unit.session.execute(
                update(SignInIdentity)
                .where(SignInIdentity.id == UUID(made["id"]))
                .values(person_id=desk.world.learner.id)
            )
        for step in steps:
            await step(school, made["id"])
        return UUID(made["id"])

    return bring


def says(active: bool) -> Callable[[School, str], Awaitable[Any]]:
    operation = {"op": "replace", "path": "active", "value": active}
    return lambda school, user_id: school.patch(user_id, operation)


async def deletes(school: School, user_id: str) -> None:
    await school.call("DELETE", f"/Users/{user_id}")


async def operator(desk: Desk) -> UUID:
    return desk.world.operator.id


def on_the_account(event: SecurityEvent) -> Callable[[Desk], Awaitable[UUID]]:
    """What is done to the desk's person, up to the act that the event tells of."""

    async def bring_about(desk: Desk) -> UUID:
        world, person = desk.world, desk.world.learner.id
        if event in (E.ACCOUNT_DISABLED, E.ACCOUNT_ENABLED):
            path = f"/v1/people/{person}"
            await world.operator.post(f"{path}/disabling", json={"reason": "She asked for it."})
            await world.operator.post(f"{path}/enabling")
        elif event is E.PERSON_ANONYMISED:
            asked = (await world.learner.post("/v1/me/anonymisation", json={})).json()
            body = {"confirmation": asked["confirmation"]}
            await world.learner.post("/v1/me/anonymisation/confirmation", json=body)
        elif event is E.CONSENT_WITHDRAWN:
            await desk.tokens()
            body = {"client_id": str(desk.app.id)}
            await world.learner.post("/v1/me/consents/withdrawal", json=body)
            return desk.app.id
        else:
            identity = f"/v1/sign-in-identities/{desk.identity}"
            await world.administrator.post(f"{identity}/closing")
            await world.administrator.post(f"{identity}/reopening")
            return desk.identity
        return person

    return bring_about


def with_an_app(event: SecurityEvent) -> Callable[[Desk], Awaitable[UUID]]:
    """What is done to the second factor of the desk's person."""

    async def bring_about(desk: Desk) -> UUID:
        app, me = await enrolled(desk), desk.world.learner
        (factor,) = (await me.get("/v1/me/second-factors")).json()["items"]
        removal = f"/v1/me/second-factors/{factor['id']}/removal"
        await me.post(removal, json={"code": app.wrong()})
        if event is E.SECOND_FACTOR_RESET:
            async with desk.world.database.work() as unit:
                await accounts.reset_second_factor(
                    unit, actor=journal.COMMAND_LINE, person_id=me.id
                )
        else:
            await me.post(removal, json={"code": app.recovery_codes[0]})
        its_own = event in (E.SECOND_FACTOR_ADDED, E.SECOND_FACTOR_REMOVED)
        return UUID(factor["id"]) if its_own else me.id

    return bring_about


def joins(which: str) -> Callable[[Desk], Awaitable[UUID]]:
    """A wrong code, and then the right one: the desk's person remains, or goes."""

    async def join(desk: Desk) -> UUID:
        two = await make_two(desk.world)
        if which == "goes":
            two.stays, two.goes = two.goes, two.stays
        await two.completed("x")
        await two.joined()
        return desk.world.learner.id

    return join


SCOPE = "account:write account:read people:read"


async def _invited(desk: Desk) -> tuple[UUID, str]:
    """An invitation of the learner, and its link."""
    email = f"{uuid4().hex}@school.example"
    made = await desk.world.invitation(desk.world.learner.id, email)
    return UUID(made), await Post(desk.world.app).link(email)


async def invited(desk: Desk) -> UUID:
    return (await _invited(desk))[0]


async def withdrawn(desk: Desk) -> UUID:
    made = await invited(desk)
    done = await desk.world.administrator.post(f"/v1/invitations/{made}/withdrawal")
    assert done.status_code == 200
    return made


async def agreed(desk: Desk) -> UUID:
    made = await invited(desk)
    done = await desk.world.learner.post(f"/v1/invitations/{made}/agreement")
    assert done.status_code == 200
    return made


async def _asked_to_be_there(desk: Desk) -> UUID:
    """An affiliation that waits for the learner's word."""
    world = desk.world
    async with world.database.work() as unit:
        return await affiliate(
            unit, world.learner.id, world.authority, AffiliationRole.OTHER, accepted_at=None
        )


def answers(what: str) -> Callable[[Desk], Awaitable[UUID]]:
    async def bring_about(desk: Desk) -> UUID:
        asked = await _asked_to_be_there(desk)
        done = await desk.world.learner.post(f"/v1/affiliations/{asked}/{what}")
        assert done.status_code == 200, done.text
        return asked

    return bring_about


async def accepted(desk: Desk) -> UUID:
    made, link = await _invited(desk)
    await desk.world.learner.post(f"/v1/invitations/{made}/agreement")
    assert (await answer(desk.http, link, password=NEW)).status_code == 200
    return made


async def forgets(desk: Desk) -> UUID:
    await answer(desk.http, "/account/forgotten", email=desk.email)
    return desk.identity


async def resets(desk: Desk) -> UUID:
    await forgets(desk)
    link = await Post(desk.world.app).link(desk.email)
    assert (await answer(desk.http, link, password=NEW)).status_code == 200
    return desk.identity


async def changes_password(desk: Desk) -> UUID:
    token = (await desk.tokens(scope=SCOPE))["access_token"]
    body = {"current_password": PASSWORD, "new_password": NEW}
    headers = {"Authorization": f"Bearer {token}"}
    done = await desk.http.put("/v1/me/password", json=body, headers=headers)
    assert done.status_code == 204
    return desk.identity


async def _asks(desk: Desk) -> tuple[str, str]:
    """A change of address, and the new address."""
    token = (await desk.tokens(scope=SCOPE))["access_token"]
    email = f"{uuid4().hex}@school.example"
    headers = {"Authorization": f"Bearer {token}"}
    body = {"email": email, "password": PASSWORD}
    done = await desk.http.post("/v1/me/address-changes", json=body, headers=headers)
    assert done.status_code == 202, done.text
    return done.json()["id"], email


async def asks_for_address(desk: Desk) -> UUID:
    await _asks(desk)
    return desk.identity


async def confirms_address(desk: Desk) -> UUID:
    _, email = await _asks(desk)
    link = await Post(desk.world.app).link(email)
    assert (await answer(desk.http, link)).status_code == 200
    return desk.identity


async def stops_address(desk: Desk) -> UUID:
    await _asks(desk)
    link = await Post(desk.world.app).link(desk.email)
    assert (await answer(desk.http, link)).status_code == 200
    return desk.identity


async def changes_address(desk: Desk) -> UUID:
    change, email = await _asks(desk)
    link = await Post(desk.world.app).link(email)
    assert (await answer(desk.http, link)).status_code == 200
    row = AddressChange.id == change
    await change_rows(desk.world.database, AddressChange, where=row, takes_effect_at=now())
    await take_effect(desk.world.database)
    return desk.identity


BROUGHT_ABOUT: dict[SecurityEvent, Callable[[Desk], Awaitable[UUID]]] = {
    E.ACCOUNT_DISABLED: on_the_account(E.ACCOUNT_DISABLED),
    E.ACCOUNT_ENABLED: on_the_account(E.ACCOUNT_ENABLED),
    E.ADDRESS_CHANGED: changes_address,
    E.ADDRESS_CHANGE_ASKED: asks_for_address,
    E.ADDRESS_CHANGE_CONFIRMED: confirms_address,
    E.ADDRESS_CHANGE_STOPPED: stops_address,
    E.AFFILIATION_ACCEPTED: answers("acceptance"),
    E.AFFILIATION_REFUSED: answers("refusal"),
    E.ASSERTION_REPLAYED: replayed,
    E.CLIENT_CHANGED: changed(name="Renamed"),
    E.CLIENT_CREATED: client,
    E.CLIENT_DISABLED: disabled,
    E.CLIENT_NARROWED: changed(scopes=["goals:read"]),
    E.CLIENT_SECRET_ADDED: rotated,
    E.CLIENT_SECRET_REMOVED: removed,
    E.CLIENT_WIDENED: changed(scopes=["goals:read", "goals:write", "people:read"]),
    E.CODE_REUSED: code_twice,
    E.CONSENT_GIVEN: decides("allow"),
    E.CONSENT_REFUSED: decides("refuse"),
    E.CONSENT_WITHDRAWN: on_the_account(E.CONSENT_WITHDRAWN),
    E.IDENTITY_CHANGED: by_scim(says(active=False)),
    E.IDENTITY_CLOSED: closed,
    E.IDENTITY_CREATED: identity,
    E.IDENTITY_LINKED: linked,
    E.IDENTITY_REMOVED: by_scim(deletes),
    E.IDENTITY_REOPENED: on_the_account(E.IDENTITY_REOPENED),
    E.IDENTITY_UNLINKED: unlinked,
    E.INVITATION_ACCEPTED: accepted,
    E.INVITATION_AGREED: agreed,
    E.INVITATION_WITHDRAWN: withdrawn,
    E.INVITED: invited,
    E.JOIN_ASKED: joins("stays"),
    E.JOIN_FAILED: joins("goes"),
    E.OPERATOR_CREATED: operator,
    E.PASSWORD_CHANGED: changes_password,
    E.PASSWORD_RESET: resets,
    E.PERSON_ANONYMISED: on_the_account(E.PERSON_ANONYMISED),
    E.PERSON_GONE: joins("goes"),
    E.PERSON_JOINED: joins("stays"),
    E.PROVIDER_CHANGED: provider_changed,
    E.PROVIDER_CREATED: provider_created,
    E.PROVIDER_REFUSED: provider_refused,
    E.RECOVERY_CODES_MADE: with_an_app(E.RECOVERY_CODES_MADE),
    E.RECOVERY_CODE_USED: with_an_app(E.RECOVERY_CODE_USED),
    E.REFRESH_REUSED: refresh_twice,
    E.RESET_REQUESTED: forgets,
    E.SECOND_FACTOR_ADDED: with_an_app(E.SECOND_FACTOR_ADDED),
    E.SECOND_FACTOR_FAILED: with_an_app(E.SECOND_FACTOR_FAILED),
    E.SECOND_FACTOR_REMOVED: with_an_app(E.SECOND_FACTOR_REMOVED),
    E.SECOND_FACTOR_RESET: with_an_app(E.SECOND_FACTOR_RESET),
    E.SESSION_ENDED: signs_out,
    E.SIGNED_IN: signs_in,
    E.SIGN_IN_FAILED: wrong_password,
}
ON_THE_COMMAND_LINE = {
    E.KEY_CREATED, E.KEY_RETIRED, E.OPERATOR_DISABLED, E.SEALING_KEY_CREATED,
}  # fmt: skip
ON_THE_COMMAND_LINE = {
    E.KEY_CREATED, E.KEY_RETIRED, E.OPERATOR_DISABLED, E.SEALING_KEY_CREATED,
}  # fmt: skip


def test_every_event_is_brought_about() -> None:
    assert set(BROUGHT_ABOUT) | ON_THE_COMMAND_LINE == set(SecurityEvent)
    assert len({event.value for event in SecurityEvent}) == len(SecurityEvent)
    assert {event.value[0] for event in SecurityEvent} <= set(journal.ACCOUNTS)


@pytest.mark.parametrize("event", BROUGHT_ABOUT, ids=lambda event: event.name.lower())
async def test_it_is_in_the_journal(desk: Desk, event: SecurityEvent) -> None:
    resource_id = await BROUGHT_ABOUT[event](desk)
    kind, action = event.value
    rows = await desk.journaled(kind=kind, action=action, resource_id=resource_id)
    assert rows, f"{event} is not in the journal"
    about_a_person = kind in ("session", "sign_in_identity", "consent", "invitation")
    about_a_person = kind in (
        "session",
        "sign_in_identity",
        "consent",
        "second_factor",
        "person",
        "affiliation",
    )
    if about_a_person:
        assert str(rows[-1]["owner_id"]) == str(desk.world.learner.id)


async def test_a_person_sees_what_was_done_to_their_account(desk: Desk) -> None:
    await wrong_password(desk)
    await refresh_twice(desk)
    found = await desk.world.learner.get("/v1/me/history")
    assert found.status_code == 200, found.text
    seen = {(row["kind"], row["action"]) for row in found.json()["items"]}
    assert {
        E.SIGN_IN_FAILED.value,
        E.SIGNED_IN.value,
        E.REFRESH_REUSED.value,
        E.CONSENT_GIVEN.value,
    } <= seen


async def test_an_unknown_address_is_journaled_for_nobody(desk: Desk) -> None:
    before = len(await desk.journaled(action="sign_in_failed", resource_id=NOBODY))
    page = await desk.browser.open(desk.app.request())
    await desk.browser.sign_in(page, "nobody@school.example", "wrong")
    rows = await desk.journaled(action="sign_in_failed", resource_id=NOBODY)
    assert len(rows) == before + 1
    assert rows[-1]["owner_id"] is None
    assert "nobody@" not in str(rows)


def test_keys_are_journaled_from_the_command_line(
    fresh_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sqlalchemy as sa

    from app import cli_identity
    from app.migrations import sync_url

    monkeypatch.setattr(settings(), "database_url", fresh_url)
    monkeypatch.setattr(settings(), "var", tmp_path)
    cli_identity.rotate_keys(now=True)
    old, new = keys.read(tmp_path / "keys", "ES256")
    cli_identity.retire_key(old.kid, now=True)
    cli_identity.list_keys()
    cli_identity.rotate_sealing()
    engine = sa.create_engine(sync_url(fresh_url))
    columns = journal.journal.c
    with engine.connect() as connection:
        found = connection.execute(
            sa.select(columns.action, columns.resource_id)
            .where(columns.kind == "signing_key")
            .order_by(columns.sequence)
        ).all()
    engine.dispose()
    assert [tuple(row) for row in found[:2]] == [("created", new.id), ("retired", old.id)]
    assert [row.action for row in found[2:]] == ["sealing_key_created"]
    assert len(list((tmp_path / "keys").glob("seal-*.key"))) == 2
