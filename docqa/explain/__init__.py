"""Why an answer came out as it did: what was read, what each token scored, what won and lost."""
