"""The policy that `--init-from` brings: frames that it took are counted, and `--config` says it."""

from pathlib import Path

from launch import configuration, initial_policy, prerequisites, published, run_folder, train
from launch.run_folder import RunFolder

SOURCE = run_folder.open_run(Path("pretrained:tic_tac_toe_small"))


def begun(path) -> RunFolder:
    """A run that began with a policy whose run had begun with 50 frames itself."""
    run = run_folder.create(path)
    configuration.save(configuration.load(SOURCE.config), run.config)
    initial_policy.keep(run, initial_policy.read(SOURCE, 50))
    return run


def test_the_frames_behind_a_policy_are_counted(tmp_path):
    run, learnt = begun(tmp_path / "run"), published.load(SOURCE.policy).frames
    assert learnt > 1e6
    assert initial_policy.origin_of(run) == initial_policy.Origin(
        str(SOURCE.path.resolve()), learnt, 50
    )
    assert prerequisites.frames(run) == learnt + 50
    assert run.initial_policy.read_bytes() == SOURCE.policy.read_bytes()


def test_a_run_of_an_older_version_knows_the_frames_of_its_policy_alone(tmp_path):
    run = begun(tmp_path / "run")
    run.initial_policy_record.unlink()
    assert prerequisites.frames(run) == published.load(SOURCE.policy).frames


def test_a_run_that_drew_its_parameters_began_with_nothing(tmp_path):
    run = run_folder.create(tmp_path / "run")
    assert initial_policy.origin_of(run) is None
    assert prerequisites.frames(run) == 0


def test_the_configuration_of_such_a_run_is_not_taken_in_silence(tmp_path, capsys):
    run = begun(tmp_path / "run")
    train.parse(["--config", str(run.config)])
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"{run.path} began with a trained policy")
    assert "--init-from" in line
    train.parse(["--config", str(run.config), "--init-from", str(SOURCE.path)])
    assert capsys.readouterr().err == ""


def test_a_start_that_failed_leaves_nothing_of_it(tmp_path):
    run = begun(tmp_path / "run")
    run_folder.remove_unused(run)
    assert not run.path.exists()
