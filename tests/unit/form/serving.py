"""The form of a small repository, served."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from gettext import NullTranslations
from pathlib import Path

from opsmail.form.editor import Editor, Send
from opsmail.form.server import FormServer
from opsmail.providers import load_providers
from opsmail.settings.load import load_settings
from opsmail.source.worktree import WorkTree
from tests.builders import DAY, SETTINGS, operator_text, write_files

RH = "operators/rh.yaml"


def editor_of(root: Path, send: Send | None = None) -> Editor:
    """Return the editor of a repository with one operator, which is made where there is none."""
    if not (root / "opsmail.toml").exists():
        write_files(root, {"opsmail.toml": SETTINGS, RH: f"# Human resources\n{operator_text()}"})
    tree = WorkTree(root)
    return Editor(tree, lambda: load_settings(tree), load_providers(), lambda: DAY, send)


@contextmanager
def served(editor: Editor) -> Iterator[FormServer]:
    """Serve the form of an editor in another thread."""
    with FormServer(editor, NullTranslations()) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(10)
