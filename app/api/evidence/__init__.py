"""Evidence items: what was captured, what it shows, and the files with it."""

from app.api.evidence import files, items

ROUTERS = (items.router, files.router)
