"""docqa inside other frameworks: a module a framework, each an optional extra of the package."""
