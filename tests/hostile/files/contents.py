"""Contents of files, as data: refused ones with the rule that refuses them, slow ones, ones with a secret in them."""

from __future__ import annotations

from typing import Any

from tests.builders import edited, operator_text
from tests.hostile.catalogue import case

#: A password that somebody typed where it does not belong.
CANARY = "S3nh4-C4n4r10+/x9"


def bomb(levels: int, width: int) -> str:
    """Return merge keys that multiply at each level."""
    lines = ["a0: &a0 {k0: 1}"]
    for level in range(1, levels):
        merged = ", ".join([f"*a{level - 1}"] * width)
        lines.append(f"a{level}: &a{level} {{<<: [{merged}], k{level}: 1}}")
    return "\n".join(lines)


def aliases(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, levels)]
    return "\n".join(lines)


REFUSED: list[Any] = [
    case("Y-01 duplicate key at the top", "server: smtp.good.example\nserver: evil.example\n", "OM003"),
    case("Y-02 duplicate key, one of them quoted", 'server: {tls: required, "tls": none}\n', "OM003"),
    case("Y-03 numbers as keys", "labels: {1: a, 0x1: b}\n", "OM005"),
    case("Y-03 truth values as keys", "labels: {no: a, false: b}\n", "OM005"),
    case("Y-04 merge key", "base: &b {tls: none}\nprod: {<<: *b, host: x}\n", "OM005"),
    case("Y-05 merge bomb", bomb(8, 9), "OM005"),
    case("Y-06 alias bomb", aliases(9), "OM005"),
    case("Y-07 recursive alias in a mapping", "a: &x {b: *x}\n", "OM005"),
    case("Y-07 recursive alias in a list", "&a [*a]\n", "OM005"),
    case("Y-09 anchor defined twice", "a: &x 1\nb: *x\nc: &x 2\nd: *x\n", "OM005"),
    case("Y-10 500 nested brackets", "a: " + "[" * 500, "OM007"),
    case("Y-11 30,000 nested brackets", "a: " + "[" * 30_000, "OM007"),
    case("Y-11 30,000 nested braces", "a: " + "{a: " * 30_000, "OM007"),
    case("Y-11 60,000 nested dashes", "- " * 60_000, "OM004"),
    case("Y-11 600 indented levels", "a:\n" + "".join(f"{' ' * n}a:\n" for n in range(1, 600)), "OM007"),
    case("Y-13 tag that runs a program", "a: !!python/object/apply:os.system [touch pwned]\n", "OM005"),
    case("Y-14 tag that names a function", "a: !!python/name:os.system\n", "OM005"),
    case("Y-14 tag that imports", "a: !!python/module:os\n", "OM005"),
    case("Y-14 tag of another type", "a: !!python/tuple [1]\n", "OM005"),
    case("Y-16 tag that breaks the safe loader", 'a: !!int ""\n', "OM005"),
    case("Y-19 two documents", "a: 1\n---\na: 2\n", "OM004"),
    case("Y-20 a document after the end", "a: 1\n...\n---\nb: 2\n", "OM004"),
    case("Y-20 text after the end", "a: 1\n...\ntrailing\n", "OM002"),
    case("Y-21 a directive", "%YAML 1.2\n---\nc: no\n", "OM005"),
    case("Y-21 a version that does not exist", "%YAML 1.3\n---\nc: no\n", "OM002"),
    case("Y-21 another major version", "%YAML 2.0\n---\nc: no\n", "OM002"),
    case("Y-24 line separator in a comment", "server: ok.example # note\u2028server: evil\n", "OM010"),
    case("Y-24 paragraph separator in a comment", "server: ok.example # note\u2029server: evil\n", "OM010"),
    case("Y-24 next line in a comment", "server: ok.example # note\x85server: evil\n", "OM010"),
    case("Y-25 carriage return in a comment", "server: ok.example # note\rserver: evil\n", "OM010"),
    case("Y-29 two byte-order marks", "\ufeff\ufeffa: 1\n", "OM010"),
    case("Y-30 UTF-16", operator_text().encode("utf-16"), "OM006"),
    case("Y-30 UTF-16 without a mark", operator_text().encode("utf-16-be"), "OM010"),
    case("Y-31 UTF-32", operator_text().encode("utf-32"), "OM006"),
    case("Y-31 Latin-1", b"name: caf\xe9\n", "OM006"),
    case("Y-31 overlong form", b"name: \xc0\xaf\n", "OM006"),
    case("Y-31 surrogates in UTF-8", b"name: \xed\xa0\xbd\xed\xb8\x80\n", "OM006"),
    case("Y-32 a null byte", b"name: a\0b\n", "OM010"),
    case("Y-33 a null byte as an escape", r'name: "a\x00b"', "OM010"),
    case("Y-34 a line end as an escape", r'server: {host: "smtp.x\r\nRCPT TO:<e@v>"}', "OM010"),
    case("Y-35 an escape character as an escape", r'name: "\e[31m"', "OM010"),
    case("Y-36 half a character", r'name: "\ud800"', "OM002"),
    case("Y-37 two halves of a character", r'name: "\uD83D\uDE00"', "OM002"),
    case("Y-39 450,000 short keys", "".join(f"k{n}: 1\n" for n in range(450_000)), "OM007"),
    case("Y-40 five megabytes in one value", "name: " + "x" * 5_000_000, "OM007"),
    case("Y-44 a block text in a flow mapping", "server: {host: |\n  smtp.x\n}", "OM002"),
    case("Y-44 a block text for a field of one line", "server:\n  host: |\n    smtp.x\n", "OM005"),
    case("Y-45 a folded text", "authentication:\n  password: >-\n    env://\n    X\n", "OM005"),
    case("Y-46 a secret in a syntax error", f"authentication:\n  password: {CANARY}: x\n", "OM002"),
    case("Y-46 a secret in a quote without end", f'authentication:\n  password: "{CANARY}\n', "OM002"),
    case("Y-46 a secret in a brace without end", f"authentication: {{password: {CANARY}\nx: [\n", "OM002"),
    case("Y-46 a secret alone", f"{CANARY}\n", "OM004"),
    case("Y-46 a secret as a key", f"? {CANARY}\n? {CANARY}\n", "OM005"),
]

# One form each that makes parsers slow, at the largest size that is read.
SLOW = {
    "brackets": "[" * 262_000,
    "braces": "{" * 262_000,
    "dashes": "- " * 131_000,
    "questions": "? " * 131_000,
    "colons": ": " * 131_000,
    "quotes": '"' * 262_000,
    "apostrophes": "'" * 262_000,
    "an open quote": '"' + "x" * 262_000,
    "an open quote with lines": '"' + "x\n" * 131_000,
    "hashes": "#" * 262_000,
    "comments": "#\n" * 131_000,
    "empty lines": "\n" * 262_000,
    "spaces": " " * 262_000,
    "tabs": "\t" * 262_000,
    "a long word": "x" * 262_000,
    "a long key": "x" * 262_000 + ": 1",
    "plain lines": "x\n" * 131_000,
    "anchors": "a: " + "&a " * 87_000,
    "aliases": "a: [" + "*a, " * 65_000,
    "tags": "a: " + "!a " * 87_000,
    "percent": "%" * 262_000,
    "directives": "%A\n" * 87_000,
    "escapes": 'a: "' + "\\x41" * 65_000 + '"',
    "block text": "a: |\n" + " x\n" * 87_000,
    "pairs in a list": "a: [" + "b: c, " * 43_000,
    "keys": "".join(f"k{number}: 1\n" for number in range(4_900)),
    "unknown keys like known ones": "".join(f"server{number}: 1\n" for number in range(4_900)),
    "list": "a: [" + "1," * 9_900 + "]",
    "commas": "a: [" + "," * 262_000,
    "ellipses": "...\n" * 65_000,
    "wide characters": "a: '" + "😀" * 65_000 + "'",
    "labels": "labels: {" + ", ".join(f"k{number}: 'a # b'" for number in range(4_900)) + "}",
}

#: A password in every place where one was ever found.
SECRETS: list[str | bytes] = [
    edited('"env://OPSMAIL_SECRET_RH"', CANARY),
    edited('"env://OPSMAIL_SECRET_RH"', f'"{CANARY}"'),
    edited('"env://OPSMAIL_SECRET_RH"', f"env://{CANARY}"),
    edited('"env://OPSMAIL_SECRET_RH"', f"smtp://rh:{CANARY}@smtp.empresa.com.br"),
    edited('"env://OPSMAIL_SECRET_RH"', f"[{CANARY}]"),
    edited('"env://OPSMAIL_SECRET_RH"', f"{{{CANARY}: x}}"),
    edited('"env://OPSMAIL_SECRET_RH"', f"{{x: {CANARY}}}"),
    edited('"env://OPSMAIL_SECRET_RH"', f"!secret {CANARY}"),
    edited('"env://OPSMAIL_SECRET_RH"', f"&a {CANARY}"),
    edited('"env://OPSMAIL_SECRET_RH"', f"*{CANARY}"),
    edited('"env://OPSMAIL_SECRET_RH"', f"'{CANARY}"),
    edited('"env://OPSMAIL_SECRET_RH"', f"{CANARY}: x"),
    edited('"env://OPSMAIL_SECRET_RH"', f"|\n    {CANARY}\n    host: {CANARY}"),
    edited('"env://OPSMAIL_SECRET_RH"', f"x\n    {CANARY}"),
    edited('"env://OPSMAIL_SECRET_RH"', f"env://OPSMAIL_SECRET_RH # {CANARY}"),
    edited("password:", f"senha: {CANARY}\n  password:"),
    edited("password:", f"password: {CANARY}\n  password:"),
    edited("password:", f"{CANARY}: x\n  password:"),
    edited("password:", f'"{CANARY}": x\n  password:'),
    edited("password:", f"? {CANARY}\n  : x\n  password:"),
    edited("server:\n", f"server:\n  {CANARY}\n"),
    edited("port: 587", f"port: 587\n  extra: {{a: {CANARY}, b: [{CANARY}]}}"),
    edited("port: 587", f"prot: 587 # {CANARY}"),
    edited("role: master", f"role: [{CANARY}"),
    edited("role: master", f"limits: {CANARY}\nrole: master"),
    edited("role: master", f"labels: [{CANARY}]\nrole: master"),
    f"{CANARY}\n{operator_text()}",
    f"# {CANARY}\n{operator_text()}x: [\n# {CANARY}\n",
    f"{CANARY}: {{{CANARY}: {CANARY}}}\n",
    f"- {CANARY}\n",
    f'"{CANARY}',
    f"password: {CANARY}\u202e\n",
    f"authentication: {{type: basic, password: {CANARY}\u200b}}\n",
    operator_text().replace('"env://OPSMAIL_SECRET_RH"', CANARY).encode() + b"\xff",
]
