"""Training a reader for what docqa does with it: the best span over many windows.

``train`` fine-tunes and ``average`` makes one reader of several. A run begins as a
``prepared_run``: questions (``examples``), windows to read for them (``sampling``,
``hard_negatives``, ``teacher``), and the ``trained_model``. Each ``step`` takes a ``batch`` to its
``loss``. In the end a reader with its ``card`` lies in the ``run_folder``.
"""
