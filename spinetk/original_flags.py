"""Flags of the original programs, as their users type them, and what takes their place here.

A flag that ours has too, perhaps with ``-`` for ``_``, is not listed. Each row is checked by a test against the command
line: what it names exists. :mod:`spinetk.arguments` uses the rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Verb = tuple[str, ...]


@dataclass(frozen=True)
class OriginalFlag:
    """One flag.

    Attributes:
        program: The original and its script.
        verb: Our verb in its place, e.g. ``("discs", "train")``.
        flag: As it is typed there.
        ours: Our option that takes the same value; None where none does.
        values: What ours calls the values that have other names, by the original's in small letters.
        instead: Where ``ours`` is None: what to do, in a few words.
    """

    program: str
    verb: Verb
    flag: str
    ours: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    instead: str = ""


def _rows(program: str, verb: Verb, aliases: Mapping[str, str], hints: Mapping[str, str]) -> list[OriginalFlag]:
    rows = [OriginalFlag(program, verb, flag, ours=ours) for flag, ours in aliases.items()]
    return rows + [OriginalFlag(program, verb, flag, instead=instead) for flag, instead in hints.items()]


_CONTRASTS = {"t1": "T1w", "t2": "T2w"}
_FOLDER_FIRST = "give the folder of the data as the argument"
_IN_OUT = "a run keeps everything in --out"
_IN_WEIGHTS = "leave it out, the weights know it"
_AS_PUBLISHED = "leave it out, --network spin is the published one"
_OWN_STATISTICS = "leave it out, mean and SD are those of the training part and go with the weights"
_OWN_AUGMENTATION = "leave it out, the published augmentation is on, with its faults mended"

_SPIN_NETWORK = (
    "--encoder_type_subpixel_embedding",
    "--n_filters_encoder_subpixel_embedding",
    "--decoder_type_subpixel_embedding",
    "--n_filter_decoder_subpixel_embedding",
    "--output_channels_subpixel_embedding",
    "--output_func_subpixel_embedding",
    "--encoder_type_segmentation",
    "--n_filters_encoder_segmentation",
    "--resolutions_subpixel_guidance",
    "--n_filters_subpixel_guidance",
    "--n_convolutions_subpixel_guidance",
    "--decoder_type_segmentation",
    "--n_filters_decoder_segmentation",
    "--n_filters_learnable_downsampler",
    "--kernel_sizes_learnable_downsampler",
    "--weight_initializer",
    "--activation_func",
    "--use_batch_norm",
)
"""Of SPiN's network, which its training and its evaluation are both told."""

FLAGS: tuple[OriginalFlag, ...] = (
    # Stacked hourglass and look once
    OriginalFlag(
        "prepare_trainset.py", ("discs", "prepare"), "--mode", "--modality", {"0": "both", "1": "T1w", "2": "T2w"}
    ),
    *_rows(
        "prepare_trainset.py", ("discs", "prepare"), {"--target": "--out"},
        {"--source": "give the BIDS folder as the argument"},
    ),
    OriginalFlag("main.py", ("discs", "train"), "--modality", "--modality", _CONTRASTS),
    *_rows(
        "main.py", ("discs", "train"), {},
        {
            "--datapath": "give the folder of `spinetk discs prepare` as the argument",
            "--njoints": "leave it out, there is a channel for every level that the labels have",
            "--val_batch": "leave it out, validation goes by --batch",
            "--features": "leave it out, main.py ignored it too",
            "--start-epoch": "use --resume, which knows the epoch",
            "--sigma-decay": "leave it out, the peaks keep their width, as published",
        },
    ),
    *_rows(
        "test.py", ("discs", "evaluate"), {"--resume": "--model"},
        {
            "--datapath": "give the folder of `spinetk discs prepare` as the argument",
            "--modality": "leave it out, a model knows its contrasts",
            "--njoints": _IN_WEIGHTS, "--att": _IN_WEIGHTS, "--stacks": _IN_WEIGHTS, "--blocks": _IN_WEIGHTS,
            "-s": _IN_WEIGHTS, "-b": _IN_WEIGHTS,
        },
    ),
    # V-Net of the left atrium
    *_rows(
        "V-Net train.py", ("segment", "train"), {"--locator_resume": "--resume"},
        {
            "--root_dir": _FOLDER_FIRST,
            "--scale_factor": "use --set locator_mm=MM, the spacing that the locator works at",
            "--padding": "use --margin MM",
            "--dir_checkpoints": _IN_OUT, "--dir_locator_checkpoints": _IN_OUT,
            "--best_checkpoints": _IN_OUT, "--best_locator_checkpoints": _IN_OUT,
            "--save_after_epochs": "use --check-every ITERATIONS, after which a run is validated and saved",
            "--validate_after_epochs": "use --check-every ITERATIONS, after which a run is validated and saved",
            "--best_locator": "leave it out, training crops come from the labels; --stage segmenter trains without it",
            "--gpu": "use --device cuda (CUDA_VISIBLE_DEVICES says which)",
        },
    ),
    *_rows(
        "V-Net predict.py", ("segment", "predict"), {},
        {
            "--root_dir": "give the volumes, or a folder of them, as arguments",
            "--num_layers": _IN_WEIGHTS, "--attention_module": _IN_WEIGHTS, "--dilation": _IN_WEIGHTS,
        },
    ),
    # SPiN
    *_rows(
        "SPiN train_spin.py", ("segment", "train"),
        {
            "--n_batch": "--batch", "--n_chunk": "--channels", "--n_checkpoint": "--check-every",
            "--checkpoint_path": "--out", "--n_thread": "--workers", "--positive_class_sample_rates": "--positive-rate",
        },
        {
            "--train_multimodal_scan_paths": _FOLDER_FIRST + ", and --set train_list=FILE with a name a line",
            "--train_ground_truth_path": _FOLDER_FIRST + ", masks are found beside their images",
            "--val_multimodal_scan_paths": _FOLDER_FIRST + ", and --set val_list=FILE with a name a line",
            "--val_ground_truth_path": _FOLDER_FIRST + ", masks are found beside their images",
            "--n_height": "leave it out, slices keep their size",
            "--n_width": "leave it out, slices keep their size",
            "--dataset_normalization": _OWN_STATISTICS,
            "--dataset_means": _OWN_STATISTICS, "--dataset_stddevs": _OWN_STATISTICS,
            **dict.fromkeys(_SPIN_NETWORK, _AS_PUBLISHED),
            "--learning_rates": "use --rate for the first; without it the published steps are taken",
            "--learning_schedule": "leave it out, the published steps are taken",
            "--positive_class_sample_schedule": "leave it out, --positive-rate holds all the way",
            "--positive_class_size_thresholds": "leave it out, one pixel makes a slice positive",
            "--augmentation_probabilities": _OWN_AUGMENTATION, "--augmentation_schedule": _OWN_AUGMENTATION,
            "--augmentation_flip_type": _OWN_AUGMENTATION, "--augmentation_rotate": _OWN_AUGMENTATION,
            "--augmentation_noise_type": _OWN_AUGMENTATION, "--augmentation_noise_spread": _OWN_AUGMENTATION,
            "--augmentation_resize_and_pad": _OWN_AUGMENTATION,
            "--w_weight_decay_subpixel_embedding": _AS_PUBLISHED, "--w_weight_decay_segmentation": _AS_PUBLISHED,
            "--loss_func_segmentation": "use --loss cross-entropy-1.5 (as published) or --loss dice",
            "--w_positive_class": "use --loss cross-entropy-1.5, whose weight is 1.5",
            "--w_cross_entropy": "leave it out, train_spin.py refused it too",
            "--n_summary": "leave it out, the loss is shown and logged as the run goes",
            "--restore_path": "use --resume, with the --out of that run",
        },
    ),
    *_rows(
        "SPiN run_spin.py", ("segment", "evaluate"),
        {"--checkpoint_path": "--out", "--restore_path": "--model", "--do_visualize_predictions": "--pictures"},
        {
            "--multimodal_scan_paths": _FOLDER_FIRST + ", and --part or --split for the cases",
            "--ground_truth_path": _FOLDER_FIRST + ", masks are found beside their images",
            "--small_lesion_idxs_path": "leave it out, slices of small lesions are scored apart; --set small_px=100",
            "--augmentation_flip_type": "use --flip columns for horizontal_test, --flip rows for vertical_test, both",
            "--n_thread": "leave it out",
            **dict.fromkeys((*_SPIN_NETWORK, "--n_chunk"), _IN_WEIGHTS),
            **dict.fromkeys(("--dataset_normalization", "--dataset_means", "--dataset_stddevs"), _OWN_STATISTICS),
        },
    ),
)  # fmt: skip


def find_flag(verb: Verb, flag: str) -> OriginalFlag | None:
    """The row of a flag typed after a verb of ours."""
    spelled = flag.replace("_", "-").lower() if flag.startswith("--") else flag
    for row in FLAGS:
        if row.verb == verb and row.flag.replace("_", "-").lower() == spelled:
            return row
    return None
