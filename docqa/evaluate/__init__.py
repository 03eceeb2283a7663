"""How good the answers are: SQuAD's data format, its measures, and two ways of asking."""
