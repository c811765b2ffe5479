"""What is particular to each network, against figures and plain loops."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from spinetk.segmentation.networks.attention import BottleneckAttention, _Norm1d, _Norm3d
from spinetk.segmentation.networks.clcinet import ConvLSTM
from spinetk.segmentation.networks.kiunet import KiUNet
from spinetk.segmentation.networks.spin import LearnableDownsampler, SPiN
from spinetk.segmentation.networks.tmunet import PatchTransformer, TMUnet, paint
from spinetk.segmentation.networks.unet import HalfUNet
from spinetk.segmentation.networks.vnet import VNet
from spinetk.segmentation.networks.xnet import FeatureSimilarity, XBlock, XNet
from spinetk.training.device import channels_last, lay_out


def count(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(("channels", "published"), [(8, 299), (16, 1125), (32, 4361), (64, 17_169), (128, 68_129)])
def test_attention_counts(channels, published):
    assert count(BottleneckAttention(channels)) == published


def test_attention_at_one_voxel_of_one_case():
    """The bottom of a V-Net on a crop of 16 voxels, and a training of one case: nothing to take a variance of."""
    attention = BottleneckAttention(8).train()
    x = torch.randn(1, 8, 1, 1, 1, generator=torch.Generator().manual_seed(0))
    trained = attention(x)
    trained.sum().backward()
    assert trained.isfinite().all()
    assert torch.equal(trained, attention.eval()(x))


@pytest.mark.parametrize(("norm", "shape"), [(_Norm1d, (1, 2)), (_Norm3d, (1, 2, 1, 1, 1))])
def test_one_value_a_channel_is_normalised_with_the_running_statistics(norm, shape):
    """(x - mean) / sqrt(variance + eps) * weight + bias, and the statistics stay."""
    layer = norm(2).train()
    with torch.no_grad():
        for tensor, numbers in ((layer.running_mean, (1.0, -2.0)), (layer.running_var, (4.0, 0.25)),
                                (layer.weight, (3.0, 0.5)), (layer.bias, (10.0, -1.0))):  # fmt: skip
            tensor.copy_(torch.tensor(numbers))
    out = layer(torch.tensor([5.0, -1.0]).reshape(shape))
    torch.testing.assert_close(
        out.ravel(), torch.tensor([(5 - 1) / 2 * 3 + 10, (-1 + 2) / 0.5 * 0.5 - 1.0]), atol=1e-4, rtol=0
    )
    assert layer.running_mean.tolist() == [1.0, -2.0]
    assert layer.running_var.tolist() == [4.0, 0.25]
    # Two values have statistics of their own.
    two = layer(torch.tensor([5.0, -1.0, 7.0, 1.0]).reshape(2, *shape[1:]))
    torch.testing.assert_close(two.ravel(), torch.tensor([7.0, -1.5, 13.0, -0.5]), atol=1e-4, rtol=0)


def test_attention_options_are_real():
    default, wide = BottleneckAttention(16), BottleneckAttention(16, reduction=2, dilation=3)
    assert count(wide) > count(default)
    assert {m.dilation for m in wide.spatial if isinstance(m, nn.Conv3d) and m.kernel_size == (3, 3, 3)} == {(3, 3, 3)}
    thin = VNet(attention=True, reduction=8, attention_dilation=2)
    assert count(thin) < count(VNet(attention=True))
    dilated = VNet(dilation=2)
    assert dilated.first[0].dilation == (2, 2, 2)
    assert dilated(torch.randn(1, 1, 16, 16, 16)).shape == (1, 1, 16, 16, 16)
    assert count(VNet(activation="elu")) == 10_757_833


@pytest.mark.parametrize(("bias", "factor"), [(-50.0, 2.0), (50.0, 5.0)], ids=["closed", "open"])
def test_attention_forced(bias, factor):
    """Closed: x + x. Open: y = 2x, z = 2y, x + z = 5x."""
    attention = BottleneckAttention(8).eval()
    for layer in (attention.channel[-1], attention.spatial[-1]):
        nn.init.zeros_(layer.weight)
        nn.init.constant_(layer.bias, bias)
    x = torch.randn(1, 8, 3, 4, 5)
    torch.testing.assert_close(attention(x), factor * x)


def test_vnet_residual_identity():
    """With silent 5x5x5 convolutions a block gives what its size change gave."""
    network = VNet()
    for module in network.modules():
        if isinstance(module, nn.Conv3d) and module.kernel_size == (5, 5, 5):
            nn.init.zeros_(module.weight)
    x = torch.randn(1, 1, 16, 16, 32)
    maps = {}
    network.down[0]["halve"].register_forward_hook(lambda _, given, out: maps.update(given=given[0], halved=out))
    network.down[1]["halve"].register_forward_hook(lambda _, given, out: maps.update(next=given[0]))
    network(x)
    torch.testing.assert_close(maps["given"], x.expand(-1, 8, -1, -1, -1))
    torch.testing.assert_close(maps["next"], maps["halved"])


def test_vnet_inner_sizes():
    network, sizes = VNet(), {}
    network.down[3].get_submodule("body").register_forward_hook(lambda _, x, out: sizes.update(bottom=out.shape))
    network(torch.randn(1, 1, 32, 16, 48))
    assert sizes["bottom"] == (1, 128, 2, 1, 3)


def test_vnet_sides_of_16_are_not_touched():
    """Continuing to a multiple of 16 and cutting is the network on the continued volume."""
    network, x = VNet().eval(), torch.randn(1, 1, 16, 16, 20)
    enlarged = torch.cat([x, x[..., -1:].expand(-1, -1, -1, -1, 12)], -1)
    with torch.inference_mode():
        torch.testing.assert_close(network(x), network(enlarged)[..., :20])


def test_spin_published_shapes():
    network = SPiN().eval()
    counts = [count(part) for part in (network.embedding, network.encoder, network.downsampler)]
    assert counts == [16_528, 3_474_752, 11_584]
    assert count(network.guide) + count(network.guide_fine) == 2_912
    assert count(network.decoder) + count(network.last) + counts[2] == 1_769_616
    assert sum(p.numel() for p in network.parameters() if not p.requires_grad) == 97_824
    with torch.inference_mode():
        fine, logit = network(torch.randn(1, 5, 197, 233))
    assert fine.shape == (1, 1, 394, 466)
    assert logit.shape == (1, 1, 197, 233)
    blocks = fine[0, 0].reshape(197, 2, 233, 2)
    assert (logit[0, 0] <= blocks.amax((1, 3)) + 1e-5).all()
    assert (logit[0, 0] >= blocks.amin((1, 3)) - 1e-5).all()


def test_downsampler_mixes_with_weights_of_sum_one():
    mixer, latent, fine = LearnableDownsampler(), torch.randn(2, 16, 8, 10), torch.randn(2, 1, 8, 10)
    torch.testing.assert_close(mixer.weights(latent).sum(1), torch.ones(2, 4, 5))
    nn.init.zeros_(mixer.layers[-1].weight)
    torch.testing.assert_close(mixer(latent, fine), F.avg_pool2d(fine, 2))


def test_spin_teaches_the_embedding():
    network = SPiN(1)
    network(torch.randn(2, 1, 32, 32)).logit.square().mean().backward()
    assert network.embedding.first[0].weight.grad.any()


def test_half_unet_ends_at_half_the_size():
    network = HalfUNet().eval()
    assert count(HalfUNet(bottom=1024)) == 31_385_216
    with torch.inference_mode():
        assert network.at_half_size(torch.randn(1, 1, 197, 233)).shape == (1, 1, 99, 117)
    assert {parameter.dtype for parameter in network.half().parameters()} == {torch.float16}  # PyTorch's own word


def test_kiunet_reaches_eight_times_the_size_and_gives_a_softmax():
    network, seen = KiUNet().eval(), {}
    network.ki_down[2].register_forward_hook(lambda _, x, out: seen.update(ki=out.shape[2:]))
    network.u_down[2].register_forward_hook(lambda _, x, out: seen.update(u=out.shape[2:]))
    network.last.register_forward_hook(lambda _, x, out: seen.update(classes=F.relu(out)))
    with torch.inference_mode():
        logit = network(torch.randn(1, 1, 16, 24))
    assert seen["ki"] == (128, 192)
    assert seen["u"] == (2, 3)
    torch.testing.assert_close(logit.sigmoid(), seen["classes"].softmax(1)[:, 1:])


def test_feature_similarity_is_dot_product_attention():
    module = FeatureSimilarity(32).eval()
    x = torch.randn(2, 32, 3, 4)
    f = module.enter(x)
    theta, phi, g = (layer(f).flatten(2).transpose(1, 2) for layer in (module.theta, module.phi, module.g))
    pairs = theta @ phi.transpose(1, 2) / 12
    related = (pairs @ g).transpose(1, 2).reshape(2, 2, 3, 4)
    torch.testing.assert_close(module(x), x + module.leave(f + module.back(related)))


def test_conv_lstm_of_one_pixel_is_torchs():
    """On 1x1 maps only the middle of each kernel counts: torch's LSTM cell with the same weights."""
    ours, cell = ConvLSTM(4), nn.LSTMCell(4, 4)
    middle = ours.gates.weight[:, :, 1, 1]
    keep, write, show, value = range(4)
    order = [4 * part + unit for part in (write, keep, value, show) for unit in range(4)]
    with torch.no_grad():
        cell.weight_ih.copy_(middle[order, :4])
        cell.weight_hh.copy_(middle[order, 4:])
        cell.bias_ih.copy_(ours.gates.bias[order])
        cell.bias_hh.zero_()
    first, second = torch.randn(2, 3, 4)
    hidden, _ = cell(second, cell(first))
    torch.testing.assert_close(ours([first[..., None, None], second[..., None, None]])[..., 0, 0], hidden)


def test_xnet_lays_its_maps_out_channels_last():
    """From one channel on, where strides are all that tells."""
    network, layouts = XNet().train(), set()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d) and layer.num_features > 1:
            layer.register_forward_hook(
                lambda _, x, out: layouts.add(x[0].is_contiguous(memory_format=torch.channels_last))
            )
    channels_last(network)(lay_out(torch.randn(2, 1, 32, 32)))
    assert layouts == {True}
    block, x = XBlock(1, 4).double(), torch.randn(2, 1, 5, 6, dtype=torch.float64)
    torch.testing.assert_close(block(x), block.body(x) + block.project(x))


def test_tmunet_parts():
    with torch.device("meta"):
        network = TMUnet()
    parts = (network.bridge, network.up, network.boundary, network.weigh, network.last)
    assert [count(part) for part in parts] == [75_509_760, 48_790_784, 2_176, 512, 129]
    assert count(network.transformer) + count(network.context) == 17_354_560
    with torch.device("meta"):
        output = network(torch.empty(1, 3, 256, 256))
    assert output.logit.shape == output.boundary.shape == (1, 1, 256, 256)
    assert output.regions.shape == (1, 1, 16, 16)


@pytest.mark.parametrize(("regions", "first"), [("aligned", 1), ("shifted", 0)])
def test_regions_lie_on_their_patches(regions, first):
    with torch.device("meta"):
        network = TMUnet(regions)
    tokens = torch.arange(1 + 6.0)[None, :, None].expand(1, 7, 512)
    grid = network._grid(tokens, 2)
    assert grid[0, 0].tolist() == [[first, first + 1, first + 2], [first + 3, first + 4, first + 5]]


def test_patches_are_read_row_by_row():
    """The token of a patch does not change when another patch does, before they attend to each other."""
    transformer, seen = PatchTransformer().eval(), []
    transformer.embed.register_forward_hook(lambda _, given, out: seen.append(given[0]))
    picture = torch.rand(1, 3, 32, 48)
    with torch.inference_mode():
        transformer(picture)
    for number, patch in enumerate(seen[0]):
        row, column = divmod(number, 3)
        assert torch.equal(patch, picture[0, :, 16 * row : 16 * row + 16, 16 * column : 16 * column + 16])


def test_painting_commutes_with_the_context_layer():
    """The loop of the original: paint 512 channels patch by patch, then convolve; against convolve, then paint."""
    context = nn.Sequential(nn.Conv2d(512, 64, 1), nn.BatchNorm2d(64), nn.Sigmoid()).train()
    tokens = torch.randn(2, 4, 512)
    canvas = torch.zeros(2, 512, 32, 32)
    for image in range(2):
        for number in range(4):
            row, column = divmod(number, 2)
            square = canvas[image, :, 16 * row : 16 * row + 16, 16 * column : 16 * column + 16]
            square += tokens[image, number][:, None, None]
    painted = paint(context(tokens.transpose(1, 2).unflatten(2, (2, 2))))
    torch.testing.assert_close(painted, context(canvas), rtol=1e-4, atol=1e-5)


def test_attention_rows_of_tmunet_sum_to_less_than_one():
    """Softmax first, divided by sqrt(512) afterwards: equal values v come out as v / 22.6."""
    block = PatchTransformer().blocks[0]
    for layer in (block.qkv, block.project, block.mlp[2]):
        nn.init.zeros_(layer.weight)
        nn.init.zeros_(layer.bias)
    with torch.no_grad():
        block.qkv.bias.view(8, 64, 3)[..., 2] = 1.0
        block.project.weight.copy_(torch.eye(512))
        x = torch.randn(1, 5, 512)
        torch.testing.assert_close(block(x) - x, torch.full((1, 5, 512), 512**-0.5), rtol=1e-3, atol=1e-5)
