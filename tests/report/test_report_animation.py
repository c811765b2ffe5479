import numpy as np
import pytest
from PIL import Image

from spinetk.errors import InputError
from spinetk.report.animation import write_gif


def frames(count, shape=(20, 30)):
    for k in range(count):
        frame = np.zeros((*shape, 3), np.uint8)
        frame[5:10, 2 * k : 2 * k + 4] = (255, 120, 0)
        yield frame


def test_frames_and_speed_are_kept(tmp_path):
    write_gif(tmp_path / "a.gif", frames(7), 4)
    with Image.open(tmp_path / "a.gif") as gif:
        assert gif.n_frames == 7
        assert gif.size == (30, 20)
        assert gif.info["loop"] == 0
        for k in range(7):
            gif.seek(k)
            assert gif.info["duration"] == 250
            shown = np.array(gif.convert("RGB"))
            assert abs(shown.astype(int) - list(frames(7))[k].astype(int)).max() <= 8


def test_grey_and_single_frames(tmp_path):
    write_gif(tmp_path / "a.gif", [np.arange(100, dtype=np.uint8).reshape(10, 10)], 1)
    with Image.open(tmp_path / "a.gif") as gif:
        assert (np.array(gif.convert("L")) == np.arange(100).reshape(10, 10)).all()


@pytest.mark.parametrize(
    ("pictures", "fps", "fault"),
    [
        ([], 1, "no frames"),
        ([np.zeros((4, 4), np.uint8), np.zeros((4, 5), np.uint8)], 1, "5 x 4"),
        ([np.zeros((4, 4))], 1, "float64"),
        ([np.zeros((4, 4), np.uint8)], 0, "frames a second"),
        ([np.zeros((4, 4), np.uint8)], float("nan"), "frames a second"),
    ],
)
def test_bad_input_is_refused(tmp_path, pictures, fps, fault):
    with pytest.raises(InputError, match=fault):
        write_gif(tmp_path / "a.gif", pictures, fps)
    assert list(tmp_path.iterdir()) == []
