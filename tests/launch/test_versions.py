"""versions.json names what a run was made with."""

import json
import platform
import subprocess
from pathlib import Path

import jax

from launch import versions


def test_versions():
    found = json.loads(json.dumps(versions.collect()))
    assert found["python"] == platform.python_version()
    assert found["packages"]["jax"] == jax.__version__
    assert found["environments"]["sokoban"] >= 1
    assert sum(kind["count"] for kind in found["devices"]) == len(jax.devices())
    assert found["devices"][0]["platform"] == jax.default_backend()


def test_git_revision(tmp_path, monkeypatch):
    def git(*arguments):
        identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
        subprocess.run(["git", *identity, "-C", str(tmp_path), *arguments], check=True)

    monkeypatch.setattr(versions, "_ROOT", tmp_path.resolve())
    assert versions._git() is None
    git("init", "-q")
    (tmp_path / "a").write_text("a")
    git("add", "a")
    git("commit", "-q", "-m", "a")
    clean = versions._git()
    assert clean is not None
    assert len(clean["revision"]) == 40
    assert clean["changed"] is False
    (tmp_path / "a").write_text("b")
    assert versions._git() == clean | {"changed": True}
    # A folder inside a checkout of something else has no revision of its own.
    (tmp_path / "inside").mkdir()
    monkeypatch.setattr(versions, "_ROOT", Path(tmp_path.resolve() / "inside"))
    assert versions._git() is None
