"""What the writes of items and of files both need."""

from app.access.door import Access
from app.access.evidence import EVIDENCE_ITEMS
from app.models.evidence import EvidenceItem


async def journal(
    access: Access, item: EvidenceItem, action: str, changed: set[str] | None = None
) -> None:
    """The journal's row of a write."""
    await access.journal(
        action,
        EVIDENCE_ITEMS.kind,
        item,
        changed=changed or (),
        owner_id=item.owner_id,
        agreement_id=item.agreement_id,
        organisation_id=item.home_organisation_id,
    )
