"""Compound files, as Outlook and old Word write them, made by hand."""

from __future__ import annotations


def compound_file(streams: dict[str, bytes]) -> bytes:
    """A compound file as Outlook writes one, of a sector after the other; ``/`` stands in folders.

    Streams are made as long as those that have sectors of their own, with blanks.
    """
    names = ["Root Entry"]
    for path in streams:
        folder = path.rpartition("/")[0]
        names += [name for name in (folder, path) if name and name not in names]
    kinds = [5] + [2 if name in streams else 1 for name in names[1:]]
    parents = [names.index(name.rpartition("/")[0] or "Root Entry") for name in names]
    free, none = b"\xff" * 4, 0xFFFFFFFF
    data, table, directory = b"", [0xFFFFFFFD], b""
    count = -(-len(names) // 4)  # sectors of the directory, which follow the table's
    table += [2 + at for at in range(count - 1)] + [0xFFFFFFFE]
    for at, name in enumerate(names):
        content = streams.get(name, b"")
        content = content.ljust(max(4096, -(-len(content) // 512) * 512)) if content else b""
        start = len(table) if content else 0xFFFFFFFE
        sectors = len(content) // 512
        table += [start + step for step in range(1, sectors)] + [0xFFFFFFFE] * bool(sectors)
        data += content
        later = [other for other in range(at + 1, len(names)) if parents[other] == parents[at]]
        inside = [other for other in range(1, len(names)) if parents[other] == at and other != at]
        shown = name.rpartition("/")[2].encode("utf-16-le") + b"\0\0"
        directory += shown.ljust(64, b"\0") + len(shown).to_bytes(2, "little")
        directory += bytes([kinds[at], 1]) + free
        directory += (later[0] if later and at else none).to_bytes(4, "little")
        directory += (inside[0] if inside else none).to_bytes(4, "little") + bytes(36)
        directory += start.to_bytes(4, "little") + len(content).to_bytes(8, "little")
    assert len(table) <= 128
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    head += b"\x3e\0\3\0\xfe\xff\x09\0\6\0" + bytes(6) + bytes(4) + (1).to_bytes(4, "little")
    head += (1).to_bytes(4, "little") + bytes(4) + (4096).to_bytes(4, "little")
    head += (0xFFFFFFFE).to_bytes(4, "little") + bytes(4)
    head += (0xFFFFFFFE).to_bytes(4, "little") + bytes(4) + bytes(4) + free * 108
    fat = b"".join(entry.to_bytes(4, "little") for entry in table).ljust(512, b"\xff")
    return head + fat + directory.ljust(512 * count, b"\0") + data
