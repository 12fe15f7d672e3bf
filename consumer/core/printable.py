"""Text that may quote a peer, made fit for a terminal.

What comes from a queue, a row or an answer may hold control characters, by which a terminal changes
what it shows or what it does, and marks that turn the direction of text.
"""

from __future__ import annotations


def printable(text: str, keep: str = "") -> str:
    r"""Return the text with every character that is not printable, and not in `keep`, as \u001b.

    JSON writes characters in this way, so a JSON document keeps its meaning.
    """
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() or each in keep else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
