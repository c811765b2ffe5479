from itertools import islice

import pytest

from spinetk.training.sampler import EndlessSampler


def test_the_sampler_goes_on_where_it_stopped():
    whole = list(islice(EndlessSampler(7, 5), 40))
    assert sorted(index for epoch, index in whole[:7]) == list(range(7))
    for start in (1, 7, 20):
        assert list(islice(EndlessSampler(7, 5, start), 40 - start)) == whole[start:]


@pytest.mark.parametrize(("world_size", "parts"), [(1, 2), (2, 1), (2, 2), (4, 1)])
def test_all_processes_together_see_what_one_sees(world_size, parts):
    batch, done = 8, 3
    whole = list(islice(EndlessSampler(11, 5, done * batch), 5 * batch))
    share = batch // (world_size * parts)
    own = [
        list(
            islice(
                EndlessSampler(11, 5, done * batch, batch=batch, parts=parts, rank=rank, world_size=world_size),
                5 * batch,
            )
        )
        for rank in range(world_size)
    ]
    together = []
    for iteration in range(5):
        for part in range(parts):
            first = (iteration * parts + part) * share
            together += [sample for rank in range(world_size) for sample in own[rank][first : first + share]]
    assert together == whole


def test_a_batch_that_cannot_be_shared_out():
    with pytest.raises(ValueError, match="cannot be divided"):
        EndlessSampler(10, 0, batch=3, world_size=2)
