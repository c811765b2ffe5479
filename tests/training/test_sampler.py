from itertools import islice

from spinetk.training.sampler import EndlessSampler


def test_the_sampler_goes_on_where_it_stopped():
    whole = list(islice(EndlessSampler(7, 5), 40))
    assert sorted(index for epoch, index in whole[:7]) == list(range(7))
    for start in (1, 7, 20):
        assert list(islice(EndlessSampler(7, 5, start), 40 - start)) == whole[start:]
