"""Requests that nobody wrote: schemathesis makes them from the committed document, for a live server.

`stage.py` fills a database, `callers.py` says who calls, `narrowed.py` which check is narrowed where and why,
`running.py` lets schemathesis run. `test_fuzz.py` judges.
"""
