"""Windows to something that can be searched, and back.

``store`` is the truth (SQLite), ``dense`` its cache of vectors (FAISS), ``lexical`` its full text
(FTS5); ``build`` brings all of them in line with the files.
"""
