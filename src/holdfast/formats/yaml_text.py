"""YAML: read as YAML 1.2 with safe types, encoded onto the text that was there.

A change replaces a scalar's own span, or adds and removes lines; the result is parsed again before
it is returned, and every comment outside of what was deleted or replaced is still there. Aliases
are read; a change that would reach what they share is refused.
"""

from __future__ import annotations

from holdfast.errors import DecodeError
from holdfast.formats.changes import tree as change_tree
from holdfast.formats.changes import widened
from holdfast.formats.diff import Delete, Edit, Set, diff
from holdfast.formats.plain import MAX_DEPTH, check_new, plain
from holdfast.formats.text import text_of
from holdfast.formats.yaml_comments import lost_comment
from holdfast.formats.yaml_layout import rewrite
from holdfast.formats.yaml_nodes import Tree, parse
from holdfast.formats.yaml_places import Unplaced

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from holdfast.formats.keypath import KeyPath

__all__ = ["YamlCodec"]


class YamlCodec:
    """One YAML 1.2 document of plain data; dates and time stamps are `date` and `datetime`."""

    name = "yaml"

    def decode(self, data: bytes) -> Any:
        """The value of `data`; an empty file, or one of comments only, is an empty dict.

        Raises:
            DecodeError: not UTF-8, not YAML, several documents, a duplicate key, a tag beyond the
                core schema, nested too deep, or aliases that stand for too much.
            MissingExtra: ruamel.yaml is not installed.
        """
        return parse(text_of(data)[1]).value

    def encode(self, value: Any, *, previous: bytes | None = None) -> bytes:
        """The bytes of `value`, onto `previous` if given.

        Raises:
            TypeError: a value or a key that YAML cannot hold.
            ValueError: the change would reach an alias or what it stands for, or cannot be written
                without losing comments elsewhere.
            DecodeError: `previous` does not parse.
            MissingExtra: ruamel.yaml is not installed.
        """
        value = plain(value, name="yaml")
        bom, text = text_of(previous if previous is not None else b"")
        tree = parse(text)
        edits: list[Edit] = [Set((), value)]
        if previous is not None:
            edits = diff(tree.value, value)
        if not edits:
            return bytes(previous or b"")
        for edit in edits:
            if not isinstance(edit, Delete):
                check_new(edit[-1], name="yaml", path=edit.path)
                check_new(list(edit.path), name="yaml", path=edit.path)
        return (bom + _encode_onto(text, edits, tree=tree, value=value)).encode()


def _encode_onto(text: str, edits: list[Edit], *, tree: Tree, value: Any) -> str:
    """The first of ever larger rewrites that is read back as `value`."""
    asked = edits
    while True:
        place: KeyPath
        try:
            result = rewrite(text, tree, change_tree(edits))
            new = parse(result)
            remaining = diff(new.value, value)
            if not remaining:
                lost = lost_comment(text, tree, asked, new=result, new_tree=new)
                if lost is None:
                    return result
                break
            place = remaining[0].path
        except Unplaced as unplaced:
            place = unplaced.path
        except DecodeError:
            place = edits[0].path
        except RecursionError:
            raise ValueError(f"nested deeper than {MAX_DEPTH} levels") from None
        if len(edits) == 1 and edits[0] == Set((), value):
            raise ValueError("YAML cannot hold this value here: it would be read back as another")
        edits = widened(edits, place, old=tree.value, new=value)
    raise ValueError(f"the change cannot be made without losing comments of the file: {lost[:60]}")
