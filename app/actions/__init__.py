"""Every write, as a verb: the row, its journal entry, one transaction."""
