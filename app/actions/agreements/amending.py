"""Amendments: a new version that takes the place of the old one when everybody concerned has signed."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy import func, select

from app.access.door import Access
from app.actions.agreements.checks import check_references, problems_at_home
from app.actions.agreements.common import Agreement, journal_of, person_of, version_of
from app.actions.agreements.enacting import close_amendment
from app.core.clock import now, today
from app.core.errors import Conflict, Invalid
from app.core.http import invalid_body
from app.core.wire import merged
from app.models.agreement_text import AgreementText, canonical, digest_of
from app.models.agreements import (
    AgreementSignature,
    AgreementState,
    AgreementVersion,
    VersionAct,
    VersionState,
)
from app.models.amendments import LAPSES_AFTER_DAYS, only_removes, signers

Model = TypeVar("Model", bound=BaseModel)


async def propose_amendment(owned: Agreement, patch: dict[str, Any]) -> None:
    """Puts a changed text before everybody whose signature it needs; until then the old one rules."""
    agreement, access = owned.entity, owned.access
    if agreement.state != AgreementState.ACTIVE:
        raise Conflict(f"The agreement is {agreement.state}; only an active one is amended.")
    if agreement.on_the_table is not None:
        raise Conflict("An amendment is on the table: sign it, decline it or withdraw it first.")
    await close_amendment(owned)
    old = (await version_of(owned, agreement.shown_number)).text
    with _below_changes():
        new = patched(old, patch)
        await _check(access, old, new)
    changed = {
        name for name in AgreementText.model_fields if getattr(old, name) != getattr(new, name)
    }
    if not changed:
        raise Invalid(
            "The amendment changes nothing.",
            errors=[{"pointer": "", "detail": "is the text in force"}],
        )
    version = await new_version(owned, new, VersionAct.AMENDMENT, VersionState.PROPOSED)
    agreement.amendment_number = version.number
    agreement.amendment_lapses_on = today() + timedelta(days=LAPSES_AFTER_DAYS)
    for person_id in signers(old, new):
        await access.unit.insert(
            AgreementSignature(
                agreement_id=agreement.id, number=version.number, person_id=person_id, asked=True
            )
        )
    agreement.touch()
    await journal_of(access, agreement, "amendment_proposed", changed)


async def _check(access: Access, old: AgreementText, new: AgreementText) -> None:
    # First whether everybody is somebody whom the caller sees: what is said of their places is not
    # for others.
    await check_references(access, new)
    problems = new.problems(without_coach=only_removes(old, new))
    rehomed = old.home_organisation_id != new.home_organisation_id
    problems += await problems_at_home(access, new, learners_must_be_there=rehomed)
    if problems:
        raise Invalid("The amendment cannot be proposed; `errors` says why.", errors=problems)


@contextmanager
def _below_changes() -> Iterator[None]:
    """What is wrong with the text is said of the body, which holds it as `changes`."""
    try:
        yield
    except Invalid as problem:
        problem.errors = [{**e, "pointer": f"/changes{e['pointer']}"} for e in problem.errors]
        raise


def patched(text: Model, patch: dict[str, Any]) -> Model:
    """The text, or a part of it, after a merge patch, or Invalid."""
    whole = merged(text.model_dump(mode="json"), patch)
    try:
        return type(text).model_validate(whole)
    except ValidationError as error:
        raise invalid_body(error, whole) from error


async def new_version(
    owned: Agreement, text: AgreementText, act: VersionAct, state: VersionState
) -> AgreementVersion:
    """A further version of the text, numbered and with its digest."""
    agreement, access = owned.entity, owned.access
    number = await _last_number(access, owned) + 1
    content, moment = canonical(text), now()
    version = AgreementVersion(
        agreement_id=agreement.id,
        number=number,
        act=act,
        state=state,
        content=content,
        digest=digest_of(agreement.id, number, content),
        created_by=person_of(access),
        created_at=moment,
        proposed_at=moment,
    )
    await access.unit.insert(version)
    return await version_of(owned, number)


async def _last_number(access: Access, owned: Agreement) -> int:
    found = await access.unit.session.scalar(
        select(func.max(AgreementVersion.number)).where(
            AgreementVersion.agreement_id == owned.entity.id
        )
    )
    assert found is not None
    return int(found)
