"""A collection served by Ray: shards, readers and the application in processes of their own.

Ray places them, restarts them, balances between their replicas and carries what they say to each
other. Nothing outside of this package imports Ray.
"""
