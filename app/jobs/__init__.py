"""Work outside a request: imports, the demonstration; one file a task."""
