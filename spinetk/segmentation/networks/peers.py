"""MONAI's networks under the same roof: one grey or multi-slice input, one logit a voxel or pixel.

MONAI asks for sides that its strides divide; here any size is continued at the far end and cut again. Layers and
defaults are MONAI's own; the widths are its usual ones.

Sources: Milletari et al. 2016 (V-Net), Myronenko 2018 (SegResNet), Kerfoot et al. 2018 (residual U-Net), Oktay et al.
2018 (Attention U-Net).
"""

from __future__ import annotations

from torch import Tensor, nn

from spinetk.segmentation.networks.convolution import at_multiple

WIDTHS = (32, 64, 128, 256, 512)
STRIDES = (2, 2, 2, 2)


class Peer(nn.Module):
    """A network of MONAI that takes any size.

    Args:
        network: Maps (N, C, *S) to logits (N, 1, *S).
        multiple: What the sides S must be multiples of.
    """

    def __init__(self, network: nn.Module, multiple: int) -> None:
        super().__init__()
        self.network = network
        self.multiple = multiple

    def forward(self, x: Tensor) -> Tensor:
        """(N, C, *S), standardised, any size, to logits (N, 1, *S)."""
        return at_multiple(self.network, x, self.multiple)


def monai_vnet() -> Peer:
    """V-Net of volumes, ELU, dropout 0.5."""
    from monai.networks.nets import VNet

    return Peer(VNet(spatial_dims=3, in_channels=1, out_channels=1), 16)


def monai_segresnet(width: int = 16) -> Peer:
    """SegResNet of volumes; ``width`` channels at full size, a multiple of 8."""
    from monai.networks.nets import SegResNet

    return Peer(SegResNet(spatial_dims=3, in_channels=1, out_channels=1, init_filters=width), 8)


def monai_unet3d(width: int = 16) -> Peer:
    """Residual U-Net of volumes; ``width`` channels at half the size, 16 times as many at the bottom."""
    from monai.networks.nets import UNet

    widths = tuple(width * 2**level for level in range(5))
    return Peer(UNet(3, 1, 1, widths, STRIDES, num_res_units=2, norm="batch"), 16)


def monai_unet(slices: int = 5) -> Peer:
    """Residual U-Net of slices, 32 to 512 channels."""
    from monai.networks.nets import UNet

    return Peer(UNet(2, slices, 1, WIDTHS, STRIDES, num_res_units=2, norm="batch"), 16)


def monai_attention_unet(slices: int = 5) -> Peer:
    """Attention U-Net of slices, 32 to 512 channels."""
    from monai.networks.nets import AttentionUnet

    return Peer(AttentionUnet(2, slices, 1, WIDTHS, STRIDES), 16)
