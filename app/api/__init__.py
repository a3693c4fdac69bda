"""Wire shapes and endpoints, one file a resource."""
