"""What a record is found by: the words, or the moment, of what the caller is shown of it, and nothing
else."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, Text, and_, literal, not_, or_, select, true

from app.access.caller import CallerKind
from app.access.owned import OWNER, kept, open_to_others
from app.access.visibility import KEPT, RESOURCES, WRITTEN, Way, visible
from app.core.search import all_words, has_words
from app.models.agreements import AgreementParty, AgreementSignature
from app.models.people import Person

_parties: Any = AgreementParty.__table__
_signatures: Any = AgreementSignature.__table__
_people: Any = Person.__table__

Said = Callable[[Any, Any], ColumnElement[str]]
"""Further words of a record: as it is, or (the second argument) as it was at a moment."""

Hidden = Callable[[Any, CallerKind], ColumnElement[bool]]
"""Whether the caller is shown no more of a record than that it is there."""


def words_shown(
    kind: str, said: Said | None, hidden: Hidden | None
) -> Callable[[Any, CallerKind, Way, Any], ColumnElement[bool]]:
    """`search` of a kind of record. `said` adds to its own words; `hidden`: none of them is shown."""

    def condition(row: Any, caller: CallerKind, way: Way, asked: Any) -> ColumnElement[bool]:
        as_it_was = way.name == KEPT
        text: ColumnElement[Any] = kept.c.folded if as_it_was else row.c.folded
        if said is not None:
            text = text.concat(said(row, kept.c.kept_at if as_it_was else None))
        return and_(
            # From its date on nothing of it is shown, whether or not the sweep has come by.
            open_to_others(row),
            has_words(text, asked),
            true() if hidden is None else not_(hidden(row, caller)),
            # Who sees it as it is finds it by what it says today.
            not_(visible(RESOURCES[kind], row, caller, as_it_is=True)) if as_it_was else true(),
        )

    return condition


def moment_shown(
    kind: str, hidden: Hidden | None
) -> Callable[[Any, CallerKind, Way, Any], ColumnElement[bool]]:
    """`changed` of a kind of record.

    Who keeps it or typed it is shown nothing of later writes: for them it is as old as their copy.
    What shows no moment at all is always found, so that neither finding nor missing it tells one.
    """

    def condition(row: Any, caller: CallerKind, way: Way, since: Any) -> ColumnElement[bool]:
        if way.name == WRITTEN:
            return row.c.created_at >= since  # type: ignore[no-any-return]
        if way.name == KEPT:
            as_it_is = visible(RESOURCES[kind], row, caller, as_it_is=True)
            return and_(kept.c.kept_at >= since, not_(as_it_is))
        written: ColumnElement[bool] = row.c.updated_at >= since
        if hidden is None or way.name != OWNER:
            return written
        return or_(written, hidden(row, caller))

    return condition


def party_words(agreement_id: Any, number: Any) -> ColumnElement[str]:
    """The words of the names of an agreement's parties, and of who was asked to sign a version.

    People carry them, so that a new name needs no agreement to be written again.
    """
    p, s = _parties.alias("named_party"), _signatures.alias("named_signer")
    in_force = and_(p.c.agreement_id == agreement_id, p.c.until.is_(None))
    on_it = and_(s.c.agreement_id == agreement_id, s.c.number == number, s.c.asked)
    found: ColumnElement[str] = literal("", Text)
    for who, met in ((p, in_force), (s, on_it)):
        n = _people.alias(f"{who.name}_name")
        names = (
            select(all_words(n.c.folded))
            .select_from(who.join(n, n.c.id == who.c.person_id))
            .where(met)
            .correlate_except(who, n)
        )
        found = found.concat(names.scalar_subquery())
    return found
