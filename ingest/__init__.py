"""Files to documents to windows: the first stage.

``discover`` says which files there are, ``workers`` reads them in processes that a hostile file may
kill, ``formats`` takes the text out of each, and ``windows`` cuts what was read. The libraries of a
format load, in a worker, when a file of that format is read.
"""
