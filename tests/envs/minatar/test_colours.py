import numpy as np

from coordconv_rl.envs.minatar.colours import CHANNEL_COLOURS, board_image


def test_a_cell_has_its_last_channel_s_colour():
    observation = np.zeros((4, 10, 10), np.uint8)
    observation[0, 0, 1] = observation[3, 9, 9] = observation[1, 9, 9] = 255
    image = board_image(observation)
    assert image.shape == (160, 160, 3)
    assert image[:16, 16:32].reshape(-1, 3).tolist() == [CHANNEL_COLOURS[0].tolist()] * 256
    assert image[-1, -1].tolist() == CHANNEL_COLOURS[3].tolist()
    assert not image[0, 0].any()
