"""What the generator keeps away from, because the service does otherwise: each with the reason.

A line here is a disagreement that has been reported. Take it out when the service is put right; the
oracle then goes there again. Nothing else may make the comparison milder.
"""

AWAY_FROM: dict[str, str] = {
    "share that shows nothing any more": "whom a record was shared with still sees the share (its "
    "owner, reason and record) when the record's date has come or it was left behind at a school",
    "goal that is due, shared with its evidence": "the evidence stays readable by the share, though "
    "a share of a record whose date has come counts no more",
    "sweep before the last signature": "the sweep marks a proposal as one whose learners have left "
    "its home, and coming into force does not take the mark back: leaders and systems then see "
    "neither the agreement nor anything under it",
    "network_id asked by a member who does not read by the share": "the filter tells a member of a "
    "closed network, or one at the edge, who sees the record in another way, that it is shared",
    "due while kept by a former party": "they see that it was there until the sweep has come by, "
    "and then nothing: only owner and parties are to see it, and nothing is to wait for a sweep",
}


def keeps_away(from_what: str) -> bool:
    return from_what in AWAY_FROM
