"""Serving an index to others: to agents (``mcp``) and over HTTP."""
