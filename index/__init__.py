"""Windows to something that can be searched, and back.

``handle`` is an index that is held open, ``search`` its windows for a question, ``build`` brings it
in line with the files and ``verify`` checks it. ``store`` is the truth (SQLite); ``dense`` is its
cache of vectors (FAISS), ``full_text`` its words (FTS5, with ``postings`` as a cache).
"""
