"""What the originals published, as rows of trainings that :mod:`published` runs: tables, their budgets and order."""

from __future__ import annotations

from dataclasses import dataclass

Words = tuple[str, ...]


@dataclass(frozen=True)
class Row:
    """One row of a table.

    Attributes:
        name: Of the row.
        train: Words of the training that only this row has.
        published: What the original's table says, for the reader.
        points: Discs: judge candidates by a look-once network trained on this one.
    """

    name: str
    train: Words
    published: str = "-"
    points: bool = False


@dataclass(frozen=True)
class Table:
    """One published table.

    Attributes:
        verb: ``discs`` or ``segment``.
        rows: In the published order.
        common: Words that all trainings share.
        iterations: Default budget.
        columns: What is shown; the first decides the order.
        order: Pairs of rows whose first is published as the better one.
        lower: Columns in which less is better.
    """

    verb: str
    rows: tuple[Row, ...]
    common: Words
    iterations: int
    columns: tuple[str, ...]
    order: tuple[tuple[str, str], ...]
    lower: tuple[str, ...] = ()
    task: str | None = None


def _row(name: str, words: str, published: str = "-", points: bool = False) -> Row:
    return Row(name, tuple(words.split()), published, points)


TABLES = {
    "discs": Table(
        "discs",
        (
            _row("look-once", "--network shapeunet", "T2w DTT 1.28 mm, FNR 0.9 %, FPR 0.0 %", points=True),
            _row("hourglass-attention", "--att", "T2w DTT 1.31 mm, FNR 1.2 %, FPR 0.6 %"),
            _row("hourglass", "--no-att"),
            _row("shapeunet", "--network shapeunet"),
            _row("unet", "--network unet", "T2w DTT 1.80 mm, FNR 5.4 %, FPR 1.8 %"),
        ),
        ("--loss", "peaks", "--solver", "adam", "--lr", "1e-3"),
        1700,
        ("dtt_mean_mm", "fnr_percent", "fpr_percent", "level_accuracy"),
        (("look-once", "hourglass-attention"), ("look-once", "unet"), ("hourglass-attention", "hourglass"),
         ("shapeunet", "unet")),
        ("dtt_mean_mm", "fnr_percent", "fpr_percent"),
    ),
    "lesions": Table(
        "segment",
        (
            _row("spin", "--network spin", "DSC .703, small .424"),
            _row("xnet", "--network xnet", "DSC .639, small .306"),
            _row("clcinet", "--network clcinet", "DSC .599, small .246"),
            _row("unet-half", "--network unet-half", "DSC .584, small .368"),
            _row("dunet", "--network dunet", "DSC .548, small .265"),
            _row("kiunet", "--network kiunet", "DSC .524, small .246"),
            _row("unet", "--network unet"),
            _row("monai-unet", "--network monai-unet"),
            _row("monai-attention-unet", "--network monai-attention-unet"),
        ),
        ("--channels", "5", "--loss", "cross-entropy-dice", "--rate", "1e-3", "--batch", "4"),
        3000,
        ("dice", "iou", "precision", "recall", "small_dice"),
        (("spin", "xnet"), ("xnet", "clcinet"), ("clcinet", "unet-half"), ("unet-half", "dunet"), ("dunet", "kiunet"),
         ("spin", "unet")),
        task="lesion",
    ),
    "atrium": Table(
        "segment",
        (
            _row("vnet-attention", "--network vnet-attention --loss dice --rate 2.5e-4", "Dice .886, HD 21.0 mm"),
            _row("vnet-2", "--network vnet-2 --loss dice --rate 1.5e-4", "Dice .884, HD 20.5 mm"),
            _row("vnet", "--network vnet --loss dice --rate 3e-4", "Dice .877, HD 21.8 mm"),
            _row("vnet-hybrid", "--network vnet --loss hybrid --rate 3e-4", "Dice .875, HD 16.9 mm"),
            _row("vnet-boundary", "--network vnet --loss boundary --rate 3e-4"),
            _row("vnet-focal", "--network vnet --loss focal --rate 3e-4"),
            _row("monai-vnet", "--network monai-vnet --loss dice --rate 3e-4"),
            _row("monai-segresnet", "--network monai-segresnet --loss dice --rate 3e-4"),
        ),
        (),
        3000,
        ("dice", "iou", "precision", "recall", "hd_mm"),
        (("vnet-attention", "vnet"), ("vnet-2", "vnet"), ("vnet", "vnet-hybrid")),
        ("hd_mm",),
        task="atrium",
    ),
    "skin": Table(
        "segment",
        (
            _row("tmunet", "--network tmunet", "DSC .916"),
            _row("unet", "--network unet --channels 3", "DSC .816"),
            _row("monai-attention-unet", "--network monai-attention-unet --channels 3", "DSC .808"),
        ),
        ("--batch", "4"),
        3000,
        ("dice", "recall", "specificity", "iou"),
        (("tmunet", "unet"), ("unet", "monai-attention-unet")),
        task="skin",
    ),
}  # fmt: skip
