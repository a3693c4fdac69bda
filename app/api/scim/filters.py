"""Filters (RFC 7644, section 3.4.2.2): those that the database answers without looking at everybody."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from scim2_models import InvalidFilterException
from scim2_models.path import (
    AttrPath,
    Comparison,
    FilterNode,
    LogicalExpr,
    LogicalOperator,
    ValuePath,
)

from app.access.scim import Term
from app.actions.scim import comparable
from app.api.scim.users import User
from app.core.text import clean, like

_MOST_TERMS = 5
_NOBODY = UUID(int=0)
_TAKEN = (
    "Filters compare id, userName, externalId, emails.value or active by eq, or meta.lastModified, "
    f"at most {_MOST_TERMS} of them joined by and."
)


def terms_of(filter_: Any) -> list[Term]:
    """The conditions of a filter that was parsed; InvalidFilterException for any other filter."""
    found = [] if filter_ is None else list(_walk(filter_.ast))
    if len(found) > _MOST_TERMS:
        raise InvalidFilterException(detail=_TAKEN)
    return found


def _walk(node: FilterNode) -> Iterator[Term]:
    if isinstance(node, LogicalExpr) and node.op is LogicalOperator.and_:
        for term in node.terms:
            yield from _walk(term)
    elif isinstance(node, Comparison):
        yield _compared(node)
    elif isinstance(node, ValuePath) and _name(node.attr_path) == "emails":
        yield _selected(node)
    else:
        raise InvalidFilterException(detail=_TAKEN)


def _name(path: AttrPath) -> str:
    if path.uri is not None and path.uri.lower() != str(User.__schema__).lower():
        raise InvalidFilterException(detail=_TAKEN)
    return ".".join(part for part in (path.attr, path.sub_attr) if part).lower()


def _compared(node: Comparison) -> Term:
    name, operator, value = _name(node.attr_path), str(node.op), node.value
    if name == "meta.lastmodified" and operator in ("eq", "gt", "ge", "lt", "le"):
        return Term("updated_at", operator, _moment(value))
    if operator != "eq":
        raise InvalidFilterException(detail=_TAKEN)
    if name == "active":
        return Term("active", operator, _truth(value))
    text = _text(value)
    if name == "id":
        return Term("id", operator, _id(text))
    if name == "username":
        return Term("user_name", operator, comparable(text))
    if name == "externalid":
        return Term("external_id", operator, text)
    if name in ("emails", "emails.value"):
        return _address(text)
    raise InvalidFilterException(detail=_TAKEN)


def _selected(node: ValuePath) -> Term:
    """`emails[type eq "work" and value eq "…"]`: one address is to be both."""
    inner = node.val_filter
    asked = inner.terms if isinstance(inner, LogicalExpr) else (inner,)
    joined = not isinstance(inner, LogicalExpr) or inner.op is LogicalOperator.and_
    found = {
        _name(term.attr_path): _text(term.value)
        for term in asked
        if isinstance(term, Comparison) and str(term.op) == "eq"
    }
    if not joined or len(found) != len(asked) or not {"value"} <= found.keys() <= {"value", "type"}:
        raise InvalidFilterException(detail=_TAKEN)
    return _address(found["value"], found.get("type"))


def _address(value: str, kind: str | None = None) -> Term:
    before = "%" if kind is None else f"%\n{like(comparable(kind))}"
    return Term("email", "eq", f"{before}\t{like(comparable(value))}\n%")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise InvalidFilterException(detail=_TAKEN)
    try:
        return clean(value)
    except ValueError as error:
        raise InvalidFilterException(detail=f"A text {error}.") from None


def _truth(value: Any) -> bool:
    found = {"true": True, "false": False}.get(str(value).lower())
    if found is None:
        raise InvalidFilterException(detail="active is compared with true or false.")
    return found


def _moment(value: Any) -> datetime:
    try:
        found = datetime.fromisoformat(_text(value))
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidFilterException(
            detail="meta.lastModified is compared with a moment, like 2026-09-01T09:00:00Z."
        ) from None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        return _NOBODY
