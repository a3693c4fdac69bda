"""How one text of an agreement differs from another: what needs every hand, and what needs one."""

from collections import Counter
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from app.core.errors import Invalid
from app.models.agreement_text import AgreementText, Disclosure, Party
from app.models.terms import FormerParties, RecordKind

LAPSES_AFTER_DAYS = 30

_BESIDE_PEOPLE = ("parties", "dual_roles")
_KEPT = (FormerParties.NOTHING, FormerParties.OWN, FormerParties.THEIR_TIME)


def signers(old: AgreementText, new: AgreementText) -> list[UUID]:
    """Whose signatures an amendment needs: everybody's whom either text names; but who is only
    removed or replaced, while nothing is widened, cannot stand in the way."""
    removed = [person for person in old.people() if person not in new.people()]
    return new.people() if only_replaces(old, new) else [*new.people(), *removed]


def only_replaces(old: AgreementText, new: AgreementText) -> bool:
    """Whether an amendment only removes parties, or puts others in their place, and widens nothing."""
    if _without_people(old) != _without_people(new):
        return False
    staying = {person for person in old.people() if person in new.people()}
    removed = Counter(p.role for p in old.parties if p.person_id not in staying)
    joining = [p for p in new.parties if p.person_id not in staying]
    return (
        bool(removed)
        and _of(old, staying) == _of(new, staying)
        # A newcomer takes the place of one who goes, in the same role, and reads nothing of before.
        and not Counter(p.role for p in joining) - removed
        and not any(p.earlier_records for p in joining)
    )


def only_removes(old: AgreementText, new: AgreementText) -> bool:
    """Whether an amendment removes parties and puts nobody in their place."""
    return only_replaces(old, new) and set(new.people()) < set(old.people())


def _without_people(text: AgreementText) -> dict[str, Any]:
    content = text.model_dump(mode="json")
    return {name: value for name, value in content.items() if name not in _BESIDE_PEOPLE}


def _of(text: AgreementText, people: set[UUID]) -> Counter[Any]:
    return Counter(_as_tuple(p) for p in text.parties if p.person_id in people)


def _as_tuple(party: Party) -> tuple[Any, ...]:
    return (party.person_id, party.role, party.earlier_records)


def check_narrower(old: Disclosure, new: Disclosure) -> None:
    """Invalid, naming each place, unless `new` opens nothing that `old` keeps closed."""
    found = []

    def say(name: str, detail: str) -> None:
        found.append({"pointer": f"/{name}", "detail": f"{detail}: widening needs an amendment"})

    for kind in RecordKind:
        if added := new.ticks(kind) - old.ticks(kind):
            say(kind, f"would add {', '.join(sorted(added))}")
    for name in ("counts_in_statistics", "peripheral_members"):
        if getattr(new, name) and not getattr(old, name):
            say(name, "would be opened")
    if _KEPT.index(new.former_parties) > _KEPT.index(old.former_parties):
        say("former_parties", f"would give more than {old.former_parties}")
    if found:
        raise Invalid("Narrowing only takes away; `errors` says what would be added.", errors=found)


def keeps_less(kept: str | None, now: str) -> str | None:
    """What somebody who left keeps after the terms have changed: never more than when they left."""
    if kept is None:
        return None
    return min(kept, now, key=lambda value: _KEPT.index(FormerParties(value)))


def without_person(text: AgreementText, person_id: UUID) -> AgreementText:
    """The text without one of its parties."""
    return text.model_copy(
        update={
            "parties": [p for p in text.parties if p.person_id != person_id],
            "dual_roles": [
                d for d in text.dual_roles if person_id not in (d.person_id, d.learner_id)
            ],
        }
    )


def with_people(text: AgreementText, now_is: Mapping[UUID, UUID]) -> AgreementText:
    """The text with other ids of the same people."""

    def of(model: Any, *names: str) -> Any:
        return model.model_copy(
            update={name: now_is.get(getattr(model, name), getattr(model, name)) for name in names}
        )

    return text.model_copy(
        update={
            "parties": [of(party, "person_id") for party in text.parties],
            "dual_roles": [of(dual, "person_id", "learner_id") for dual in text.dual_roles],
        }
    )
