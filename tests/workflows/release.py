"""A released opsmail without an index: a wheel of what is being tested, and a Python that lends the rest."""

import base64
import ensurepip
import hashlib
import sys
import zipfile
from importlib.metadata import distribution
from pathlib import Path

import opsmail

# A virtual environment that it makes finds pip, and what opsmail needs, where this Python has them: unpacking pip for
# each takes longer than all the rest.
_PYTHON = """\
#!/bin/sh
if [ "$1 $2 $3" != "-I -m venv" ]; then exec "{python}" "$@"; fi
"{python}" -I -m venv --without-pip "$4" || exit
for folder in "$4"/lib/python*/site-packages; do printf '%s\\n' {lent} > "$folder/lent.pth"; done
printf '#!/bin/sh\\nexec "%s/bin/python" -I -m pip "$@"\\n' "$4" > "$4/bin/pip"
chmod +x "$4/bin/pip"
"""

_ROOTS = """\
import ssl

_paths = ssl.get_default_verify_paths()._replace(openssl_cafile={file!r}, openssl_capath="")
ssl.get_default_verify_paths = lambda: _paths
"""


def wheel(folder: Path) -> Path:
    """Write the wheel of the installed opsmail, whether installed from one or from a checkout."""
    installed = distribution("opsmail")
    package = Path(opsmail.__file__).parent
    info = f"opsmail-{installed.version}.dist-info"
    contents = {
        f"opsmail/{path.relative_to(package).as_posix()}": path.read_bytes()
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    contents[f"{info}/METADATA"] = (installed.read_text("METADATA") or "").encode()
    contents[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    contents[f"{info}/entry_points.txt"] = (installed.read_text("entry_points.txt") or "").encode()
    record = "".join(f"{name},sha256={_digest(content)},{len(content)}\n" for name, content in contents.items())
    contents[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    file = folder / f"opsmail-{installed.version}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content)
    return file


def lending_python(folder: Path, *more: str) -> Path:
    """Write a program that is this Python, except that its virtual environments are lent this one's packages.

    Args:
        folder: where to write it.
        more: further lines for the path file (`.pth`) of the environments.
    """
    (pip,) = (Path(ensurepip.__file__).parent / "_bundled").glob("pip-*.whl")
    lent = [str(pip), *(path for path in sys.path if Path(path).name in ("site-packages", "dist-packages"))]
    lent += more
    program = folder / "python-that-lends"
    program.write_text(_PYTHON.format(python=sys.executable, lent=" ".join(f"'{path}'" for path in lent)), "utf-8")
    program.chmod(0o755)
    return program


def system_roots(folder: Path, ca: str) -> tuple[str, str]:
    """Return lines of a path file that make a Python's system trust one authority and nobody else.

    So a runner of one's own trusts the authority of the organisation's GitHub, as root has told it.

    Args:
        folder: where to write what the lines name.
        ca: certificate in PEM.
    """
    (folder / "roots.pem").write_text(ca, "ascii")
    (folder / "system_roots.py").write_text(_ROOTS.format(file=str(folder / "roots.pem")), "utf-8")
    return str(folder), "import system_roots"


def pip_environment(wheels: Path) -> dict[str, str]:
    """Return the variables that let pip install the wheel, although the lent packages may have opsmail, too."""
    return {
        "PIP_FIND_LINKS": str(wheels),
        "PIP_NO_INDEX": "1",
        "PIP_NO_DEPS": "1",
        "PIP_IGNORE_INSTALLED": "1",
        "PIP_NO_COMPILE": "1",  # of all modules, a command loads some
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
