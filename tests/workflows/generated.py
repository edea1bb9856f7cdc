"""What is committed and comes from the templates of `opsmail init`: this repository's workflows, a component, a sample.

`python -m tests.workflows.generated` writes them. The sample is what `init` gives; it is here for the auditors of
workflows, which read files.
"""

import re
from pathlib import Path

from opsmail.scaffold.pipelines import Installation, github, gitlab_component, pipeline

ROOT = Path(__file__).parents[2]
SAMPLE = Path(__file__).parent / "sample"
VERSION = "1.0.0"

_TOOL = """\
      - name: The tool, from the branch that the change goes to
        uses: actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8 # v5.0.0
        with:
          ref: ${{ github.event.pull_request.base.sha }}
          path: tool
          persist-credentials: false
"""
_PIP = '          "$RUNNER_TEMP/opsmail/bin/pip" install --quiet'
_INSTALL = f"""\
{_PIP} --require-hashes -r {{0}}/requirements/runtime.txt -r {{0}}/requirements/build.txt
{_PIP} --no-deps --no-build-isolation {{0}}
"""
#: This repository's workflows install what is in it.
OWN = Installation(tool=_TOOL, to_check=_INSTALL.format("./tool"), to_publish=_INSTALL.format("."))


def own(root: Path = ROOT) -> dict[str, str]:
    """This repository's workflows and what it offers to others, path to text."""
    texts = [path.read_text("utf-8") for path in sorted((root / "operators").glob("*.yaml"))]
    workflows = github(OWN, [name for text in texts for name in re.findall(r"env://([A-Z0-9_]+)", text)])
    return workflows | {"templates/opsmail.yml": gitlab_component()}


def sample() -> dict[str, str]:
    """The workflows of a new repository."""
    return pipeline("github", VERSION, ["OPSMAIL_SECRET_EXAMPLE_MODERN", "OPSMAIL_SECRET_EXAMPLE_BASIC"]).files


if __name__ == "__main__":
    for folder, files in ((ROOT, own()), (SAMPLE, sample())):
        for path, text in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_text(text, "utf-8")
