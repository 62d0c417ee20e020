"""`moravec doctor` on this machine, and on machines where something is wrong."""

import json
import os
import sys
from pathlib import Path

import pytest

from environments.players import gnugo
from launch import doctor, doctor_checks
from launch.doctor_checks import CHECKS, Finding


@pytest.fixture
def only(monkeypatch):
    """Lets the doctor make a few checks only: a function of their names."""

    def choose(*names):
        chosen = {name: CHECKS[name] for name in names}
        monkeypatch.setattr(doctor, "CHECKS", chosen)

    return choose


def plant(folder: Path, name: str, source: str, monkeypatch) -> None:
    """Puts a module where the processes of the checks find it before any other."""
    (folder / f"{name}.py").write_text(source)
    before = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(folder), before])))


def report(capsys, status: int) -> dict[str, dict]:
    """Runs the doctor; what its JSON document says of each check."""
    assert doctor.main(["--json"]) == status
    document = json.loads(capsys.readouterr().out)
    assert document["ok"] == (status == 0)
    return {check["name"]: check for check in document["checks"]}


def test_all_that_is_required_works_here(only, capsys):
    only(*(name for name, check in CHECKS.items() if check.required))
    checks = report(capsys, status=0)
    assert {check["status"] for check in checks.values()} == {"ok"}
    assert "cpu" in checks["JAX"]["detail"]


@pytest.mark.slow
def test_the_optional_ones_give_an_answer(only, capsys, monkeypatch):
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    only("dm_control", "rendering", "ffmpeg", "Reverb", "Acme", "Ray")
    checks = report(capsys, status=0)
    assert {checks[name]["status"] for name in ("dm_control", "ffmpeg", "Ray")} == {"ok"}
    if sys.version_info >= (3, 12):
        for name in ("Reverb", "Acme"):
            assert checks[name]["status"] == "missing"
            assert "as expected on Python 3.1" in checks[name]["detail"]
    else:
        assert checks["Reverb"]["status"] == checks["Acme"]["status"] == "ok"
    rendering = checks["rendering"]
    assert rendering["status"] == "ok" or "libegl1" in rendering["advice"]


def test_a_crash_in_one_import_does_not_take_down_the_rest(only, capsys, monkeypatch, tmp_path):
    plant(tmp_path, "numpy", "import os; os.abort()", monkeypatch)
    only("NumPy", "Python")
    checks = report(capsys, status=1)
    assert checks["NumPy"]["status"] == "broken"
    assert "SIGABRT" in checks["NumPy"]["detail"]
    assert checks["Python"]["status"] == "ok"


def test_a_hanging_import_is_given_up(only, capsys, monkeypatch, tmp_path):
    plant(tmp_path, "numpy", "import time; time.sleep(60)", monkeypatch)
    monkeypatch.setattr(doctor, "CHECK_TIMEOUT", 3.0)
    only("NumPy", "Python")
    checks = report(capsys, status=1)
    assert "no answer within 3 s" in checks["NumPy"]["detail"]
    assert checks["Python"]["status"] == "ok"


def test_an_absent_library_is_missing_and_the_advice_says_what_to_do(
    only, capsys, monkeypatch, tmp_path
):
    plant(tmp_path, "numba", "raise ModuleNotFoundError('No module named [numba]')", monkeypatch)
    only("Numba")
    checks = report(capsys, status=1)
    assert checks["Numba"]["status"] == "missing"
    assert "uv sync" in checks["Numba"]["advice"]
    assert doctor.main([]) == 1
    table = capsys.readouterr().out
    assert "No module named [numba]" in table
    assert "Training will not work" in table


def test_a_device_that_is_asked_for_and_missing_is_told(only, capsys, monkeypatch):
    monkeypatch.setenv("JAX_PLATFORMS", "cuda_of_nobody")
    only("JAX")
    (check,) = report(capsys, status=1).values()
    assert "JAX_PLATFORMS=cuda_of_nobody" in check["detail"]
    assert "unset it" in check["advice"]


def test_an_optional_one_that_is_broken_is_no_failure(only, capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("MORAVEC_BOXOBAN", str(tmp_path / "nowhere"))
    only("Boxoban")
    checks = report(capsys, status=0)
    assert checks["Boxoban"]["status"] == "broken"
    assert "unfiltered/" in checks["Boxoban"]["advice"]


def test_boxoban_files_are_counted_where_they_lie(monkeypatch, tmp_path):
    folder = tmp_path / "moravec" / "boxoban"
    (folder / "hard").mkdir(parents=True)
    (folder / "hard" / "000.txt").touch()
    monkeypatch.setenv("MORAVEC_BOXOBAN", str(folder))
    assert doctor_checks.boxoban() == Finding("ok", f"level files in {folder}: 1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("MORAVEC_BOXOBAN", str(tmp_path))  # which holds none: the cache is used
    assert doctor_checks.boxoban() == Finding("ok", f"level files in {folder}: 1")
    monkeypatch.delenv("MORAVEC_BOXOBAN")
    assert doctor_checks.boxoban().status == "ok"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    assert doctor_checks.boxoban().status == "missing"


@pytest.mark.parametrize(
    ("check", "versions", "status", "said"),
    [
        (doctor_checks.dm_control, {"mujoco": "4.0.0"}, "broken", "mujoco>=3.17,<4"),
        (
            doctor_checks.reverb,
            {"dm-reverb": "0.14.0", "tensorflow-cpu": "2.18.0"},
            "broken",
            "tensorflow-cpu==2.15.1",
        ),
        (doctor_checks.acme, {"dm-acme": "0.2.0"}, "broken", "--no-deps dm-acme==0.4.0"),
    ],
)
def test_versions_that_do_not_fit_are_told(check, versions, status, said, monkeypatch):
    monkeypatch.setattr(doctor_checks, "_version", versions.get)
    finding = check()
    assert finding.status == status
    assert said in finding.advice


def test_without_wheels_the_absence_of_replay_is_expected(monkeypatch):
    monkeypatch.setattr(doctor_checks, "_version", {}.get)
    monkeypatch.setattr(sys, "version_info", (3, 12, 1))
    for check in (doctor_checks.reverb, doctor_checks.acme):
        assert "as expected" in check().detail
    monkeypatch.setattr(sys, "version_info", (3, 11, 7))
    monkeypatch.setattr(sys, "platform", "linux")
    for check in (doctor_checks.reverb, doctor_checks.acme):
        assert check().status == "missing"
        assert "as expected" not in check().detail


def test_a_backend_that_is_not_there_gives_no_frame(monkeypatch):
    monkeypatch.setenv("MUJOCO_GL", "glfw")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(Path(doctor.__file__).parents[1]))
    finding = doctor_checks.rendering()
    assert finding.status == "missing"
    assert "unset MUJOCO_GL=glfw" in finding.advice


def test_a_folder_that_cannot_be_written_to_is_told(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)

    def refuse(**_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(doctor_checks.tempfile, "TemporaryFile", refuse)
    finding = doctor_checks.run_folder()
    assert finding.status == "broken"
    assert finding.detail == f"{tmp_path}: permission denied"
    assert "--run-dir" in finding.advice


def test_a_misspelt_option_is_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        doctor.main(["--jsn"])
    assert ended.value.code == 2
    assert "--jsn" in capsys.readouterr().err


def test_gnugo_is_found_where_distributions_put_it_and_its_absence_is_no_failure(
    only, capsys, monkeypatch, tmp_path
):
    only("GNU Go")
    program = tmp_path / "games" / "gnugo"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho GNU Go 0.0\n")
    program.chmod(0o755)
    monkeypatch.setattr(gnugo, "FOLDERS", (str(program.parent),))
    monkeypatch.setenv("PATH", "/bin:/usr/bin")
    assert doctor_checks.gnugo() == Finding("ok", f"GNU Go 0.0, {program}")
    monkeypatch.setattr(gnugo, "FOLDERS", ())
    assert doctor_checks.gnugo().status == "missing"
    assert "apt-get install gnugo" in doctor_checks.gnugo().advice
    assert report(capsys, status=0)["GNU Go"]["status"] in ("ok", "missing")
