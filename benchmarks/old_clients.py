"""The clients of old, written for Python 2, made to run on this Python by 2to3 and a few patches.

2to3 came with Python up to 3.12; on later ones these peers are missing.
"""

from __future__ import annotations

import importlib.util
import sys
import tempfile
import warnings
from functools import cache
from pathlib import Path
from types import ModuleType

NEEDS = ("lib2to3",)

# Where text turns into bytes, which are one type in Python 2; each of them occurs in what 2to3 gives.
PATCHES = {
    "cloudkey": [
        ("io.StringIO", "io.BytesIO"),
        ("res = arg.encode('utf8')", "res = arg"),
        ("msg + shared_secret", "msg + shared_secret.encode('utf8')"),
        (
            "urlsafe_b64encode(zlib.compress('&'.join(public_secparams)))",
            "urlsafe_b64encode(zlib.compress('&'.join(public_secparams).encode('utf8'))).decode()",
        ),
        ("secparams, public_secparams_encoded))", "secparams, public_secparams_encoded)).encode('utf8'))"),
        ("hashlib.md5('%d%s%d%s%s%s%s'", "hashlib.md5(('%d%s%d%s%s%s%s'"),
        ("urlsafe_b64encode(payload)", "urlsafe_b64encode(payload.encode('utf8')).decode()"),
    ],
    "panda": [
        (
            "hmac.new(secret_key, string_to_sign, hashlib.sha256)",
            "hmac.new(secret_key.encode(), string_to_sign.encode(), hashlib.sha256)",
        ),
        ("base64.b64encode(signature).strip()", "base64.b64encode(signature).decode()"),
    ],
}


@cache
def old_client(name: str) -> ModuleType:
    """Return the module of an installed client of Python 2, translated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        from lib2to3.refactor import RefactoringTool, get_fixers_from_package

        tool = RefactoringTool(get_fixers_from_package("lib2to3.fixes"))
    spec = importlib.util.find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    origin = Path(spec.origin)
    package = spec.submodule_search_locations is not None
    folder = Path(tempfile.mkdtemp(prefix="cloudreel-bench-"))
    for file in sorted(origin.parent.glob("*.py")) if package else [origin]:
        text = str(tool.refactor_string(file.read_text("utf-8") + "\n", str(file)))
        for old, new in PATCHES[name]:
            text = text.replace(old, new)
        (folder / file.name).write_text(text, "utf-8")
    return _imported(name, folder / origin.name, [str(folder)] if package else None)


def _imported(name: str, file: Path, search: list[str] | None) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file, submodule_search_locations=search)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # where a package's modules look for one another
    spec.loader.exec_module(module)
    return module
