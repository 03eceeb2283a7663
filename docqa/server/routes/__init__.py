"""The addresses of the server, a module a subject."""
