from types import SimpleNamespace

import pytest

from spinetk.training.stopping import StopWhenFlat


def trainer(step: int, loss: float) -> SimpleNamespace:
    return SimpleNamespace(
        global_step=step, callback_metrics={"val_loss": loss}, sanity_checking=False, should_stop=False
    )


def stops(losses: list[float], every: int = 100) -> list[bool]:
    callback = StopWhenFlat()
    seen = []
    for number, loss in enumerate(losses, start=1):
        state = trainer(number * every, loss)
        callback.on_validation_end(state, None)
        seen.append(state.should_stop)
    return seen


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([1.0, 0.89, 0.80], [False, False, False]),
        ([1.0, 0.91], [False, True]),
        ([1.0, 0.5, 0.6], [False, False, True]),
        ([1.0], [False]),
    ],
)
def test_ten_percent_per_hundred_iterations(losses, expected):
    assert stops(losses) == expected


def test_frequent_validations_are_compared_over_the_whole_hundred():
    # Each step falls by 6 %, two of them by more than 10 %.
    assert stops([1.0, 0.94, 0.88, 0.83, 0.78], every=50) == [False] * 5


def test_state_survives_a_resume():
    first = StopWhenFlat()
    first.on_validation_end(trainer(100, 1.0), None)
    second = StopWhenFlat()
    second.load_state_dict(first.state_dict())
    state = trainer(200, 0.95)
    second.on_validation_end(state, None)
    assert state.should_stop
