"""What `moravec list` says of each name."""

from launch.listing import main


def test_one_experiment_alone_is_the_default_of_train(capsys):
    main(["experiments", "sweeps"])
    lines = capsys.readouterr().out.splitlines()
    marked = [line.split()[0] for line in lines if "the default of train" in line]
    assert marked == ["sokoban_small"]
