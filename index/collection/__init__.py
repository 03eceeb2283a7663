"""Collections: more documents than one index holds, in a folder of shards and a catalogue.

Each shard is an ordinary index; ``docs/clusters.md`` says what holds of the whole.
"""
