"""Shares: seen by the owner, by who reads through them, and by parties who see the record itself."""

from typing import Any

from sqlalchemy import ColumnElement, and_, or_

from app.access import relations as r
from app.access.caller import CallerKind
from app.access.evidence import EVIDENCE_ITEMS
from app.access.goals import GOALS
from app.access.grants import Relation
from app.access.owned import at_home, member_reads, network_reads, shareable
from app.access.records import RECORDS
from app.access.visibility import Resource, Way, register
from app.core.sql import there_is
from app.core.tables import Id
from app.models.shares import Share
from app.models.terms import PARTY_READERS, RecordKind

SHARED: dict[str, Resource] = {resource.kind: resource for resource in (GOALS, EVIDENCE_ITEMS)}
"""The kinds of record that can be shared."""

part = r.parties.alias("share_party")
bound = r.clients.alias("share_client")
membership = r.members.alias("share_member")


def _record(row: Any, condition: Any) -> ColumnElement[bool]:
    """Whether the record fulfils a condition: a share tells nothing of one that is not seen."""
    seen = []
    for disclosed, resource in RECORDS.items():
        record = resource.table.alias(f"shared_{resource.kind}")
        here = there_is(record, record.c.id == row.c.record_id, condition(record, disclosed, row))
        seen.append(and_(row.c.kind == resource.kind, here))
    return or_(*seen)


def _ticked_for_party(record: Any, disclosed: RecordKind, row: Any) -> ColumnElement[bool]:
    ticked = or_(
        *(and_(part.c.reader == reader, record.c[f"to_{reader}"]) for reader in PARTY_READERS)
    )
    return and_(ticked, r.reached_by(part, record))


def _shown(record: Any, disclosed: RecordKind, row: Any) -> ColumnElement[bool]:
    return shareable(record)


def _read_by_member(record: Any, disclosed: RecordKind, row: Any) -> ColumnElement[bool]:
    return member_reads(record, disclosed, membership, row)


def _read_by_system(record: Any, disclosed: RecordKind, row: Any) -> ColumnElement[bool]:
    return and_(
        record.c.to_systems, at_home(record), network_reads(record, disclosed, bound.c.network_id)
    )


def _ways(row: Any, kind: CallerKind) -> list[Way]:
    counts = r.share_counts(row)
    if kind is CallerKind.CLIENT:
        return [
            Way(
                "network_system",
                and_(counts, _record(row, _read_by_system)),
                through=bound,
                mine=and_(bound.c.id == r.client, bound.c.disabled_at.is_(None)),
                link=row.c.network_id == bound.c.network_id,
            )
        ]
    return [
        Way("owner", row.c.owner_id == r.me),
        Way("recipient", and_(row.c.person_id == r.me, counts, _record(row, _shown))),
        Way(
            "party",
            _record(row, _ticked_for_party),
            through=part,
            mine=and_(part.c.person_id == r.me, part.c.until.is_(None)),
            link=row.c.agreement_id == part.c.agreement_id,
        ),
        Way(
            "member",
            and_(counts, _record(row, _read_by_member)),
            through=membership,
            mine=r.mine_as_member(membership),
            link=row.c.network_id == membership.c.network_id,
        ),
    ]


def _relations(row: Any, kind: CallerKind) -> dict[Relation, ColumnElement[bool]]:
    return {} if kind is CallerKind.CLIENT else {Relation.OWNER: row.c.owner_id == r.me}


def _columns(row: Any, kind: CallerKind) -> list[ColumnElement[Any]]:
    names = (
        "id", "version", "created_at", "updated_at", "owner_id", "created_by", "kind", "record_id",
        "agreement_id", "person_id", "network_id", "with_evidence", "reason", "ends_on",
    )  # fmt: skip
    return [row.c[name] for name in names]


def _show(row: dict[str, Any]) -> None:
    for kind in SHARED:
        row[f"{kind}_id"] = row["record_id"] if row["kind"] == kind else None


def _of(kind: str) -> Any:
    return lambda row, bind: and_(row.c.kind == kind, row.c.record_id == bind)


_NAMED = ("person_id", "network_id", "agreement_id", "owner_id")


def _equals(name: str) -> Any:
    return lambda row, bind: row.c[name] == bind


SHARES = register(
    Resource(
        kind="share",
        path="/v1/shares",
        table=Share.__table__,  # type: ignore[arg-type]
        entity=Share,
        ways=_ways,
        columns=_columns,
        relations=_relations,
        filters={
            **{f"{kind}_id": _of(kind) for kind in SHARED},
            **{name: _equals(name) for name in _NAMED},
        },
        filter_types=dict.fromkeys(
            (*(f"{kind}_id" for kind in SHARED), *_NAMED),
            Id,
        ),
        prepare=_show,
    )
)
