"""Files to documents to windows.

``discover`` finds files, ``pool`` loads them in worker processes (``worker``, ``load`` and a module
a format), ``windows`` cuts their text. Nothing here knows of an index or a model.
"""
