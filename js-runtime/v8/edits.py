"""Exact edits of the crate's source: each old text must be there exactly as often as edits.toml says."""

import tomllib


class EditError(Exception):
    """An edit does not fit the source that it is meant for."""


def load(path):
    """Reads the edits of a TOML file."""
    return tomllib.loads(path.read_text())["edit"]


def apply(edits, source):
    """Applies all edits to the tree at `source`, or none of them; each sees what the ones before it made."""
    texts = {}
    for edit in edits:
        path = source / edit["file"]
        if path not in texts:
            try:
                texts[path] = path.read_text()
            except OSError as error:
                raise EditError(f"edit {edit['name']}: cannot read {edit['file']}: {error.strerror}") from error
        found = texts[path].count(edit["old"])
        if found != edit["count"]:
            raise EditError(
                f"edit {edit['name']}: its old text is in {edit['file']} {found} times instead of {edit['count']}; "
                "the edits are for another version of the crate"
            )
        texts[path] = texts[path].replace(edit["old"], edit["new"])
    for path, text in texts.items():
        path.write_text(text)
