"""Training a reader for what docqa does with it: the best span over many windows.

``train`` fine-tunes; a run goes questions (``examples``), what is read for each (``draw``,
``negatives``, ``teacher``), rows and targets (``batch``), the objective (``loss``), steps
(``loop``), and the reader's folder (``result``).
"""
