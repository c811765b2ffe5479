"""Every flag of the original programs is ours, becomes ours, or is answered with a line that names ours."""

from __future__ import annotations

import re
import sys

import pytest
import typer

from spinetk.arguments import OriginalFlagError, understood
from spinetk.cli import app, main
from spinetk.original_flags import FLAGS, find_flag

# Of the network and the data; train_spin.py and run_spin.py are both told.
SPIN = (
    " --n_chunk --dataset_normalization --dataset_means --dataset_stddevs"
    " --encoder_type_subpixel_embedding --n_filters_encoder_subpixel_embedding --decoder_type_subpixel_embedding"
    " --n_filter_decoder_subpixel_embedding --output_channels_subpixel_embedding"
    " --output_func_subpixel_embedding --encoder_type_segmentation --n_filters_encoder_segmentation"
    " --resolutions_subpixel_guidance --n_filters_subpixel_guidance --n_convolutions_subpixel_guidance"
    " --decoder_type_segmentation --n_filters_decoder_segmentation --n_filters_learnable_downsampler"
    " --kernel_sizes_learnable_downsampler --weight_initializer --activation_func --use_batch_norm"
)
# What the parsers of the originals take, from their sources: program, our verb, flags.
PARSERS = {
    "prepare_trainset.py": ("discs prepare", "--source --target --mode"),
    "main.py": (
        "discs train",
        "--datapath --njoints --resume --attshow --epochs --modality --train_batch --val_batch --solver --lr --momentum"
        " --weight-decay --schedule --gamma -e --evaluate --att -s --stacks --features -b --blocks --start-epoch"
        " --sigma-decay",
    ),
    "test.py": ("discs evaluate", "--datapath --modality --njoints --resume --att -s --stacks -b --blocks"),
    "V-Net train.py": (
        "segment train",
        "--root_dir --max_epochs --batch_size --locator_batch_size --scale_factor --padding --locator_learning_rate"
        " --learning_rate --loss_criterion --dir_checkpoints --dir_locator_checkpoints --best_checkpoints"
        " --best_locator_checkpoints --save_after_epochs --validate_after_epochs --resume --locator_resume"
        " --best_locator --seed --gpu --num_layers --attention_module --dilation --patience --reduce",
    ),
    "V-Net predict.py": (
        "segment predict",
        "--root_dir --locator_path --segmentor_path --num_layers --attention_module --dilation --output_dir",
    ),
    "SPiN train_spin.py": (
        "segment train",
        "--train_multimodal_scan_paths --train_ground_truth_path --val_multimodal_scan_paths --val_ground_truth_path"
        " --n_batch --n_height --n_width"
        + SPIN
        + " --learning_rates --learning_schedule --positive_class_sample_rates --positive_class_sample_schedule"
        " --positive_class_size_thresholds --augmentation_probabilities --augmentation_schedule"
        " --augmentation_flip_type --augmentation_rotate --augmentation_noise_type --augmentation_noise_spread"
        " --augmentation_resize_and_pad --w_weight_decay_subpixel_embedding --loss_func_segmentation"
        " --w_weight_decay_segmentation --w_positive_class --n_summary --n_checkpoint --checkpoint_path --restore_path"
        " --device --n_thread",
    ),
    "SPiN run_spin.py": (
        "segment evaluate",
        "--multimodal_scan_paths --ground_truth_path --small_lesion_idxs_path --augmentation_flip_type"
        " --checkpoint_path --restore_path --do_visualize_predictions --device --n_thread" + SPIN,
    ),
}


def options_of(verb: str) -> dict[str, object]:
    command = typer.main.get_command(app)
    for word in verb.split():
        command = command.commands[word]
    return {name: p for p in command.params for name in (*p.opts, *p.secondary_opts) if p.param_type_name == "option"}


@pytest.mark.parametrize("program", PARSERS)
def test_every_flag_of_the_originals_has_an_answer(program):
    verb, flags = PARSERS[program]
    options, group = options_of(verb), verb.split()[0]
    for flag in flags.split():
        row = find_flag(tuple(verb.split()), flag)
        if row is None:
            assert flag in options or flag.replace("_", "-") in options, flag
        elif row.ours is not None:
            assert row.ours in options, flag
        else:
            # What a line speaks of exists, in this verb or in its room.
            named = set(re.findall(r"--[a-z][a-z-]*", row.instead))
            assert named <= set(options), f"{flag}: {row.instead}"
            assert row.instead
            assert all(row.program != program or flag != row.flag or row.verb[0] == group for row in FLAGS)


def test_every_row_is_a_flag_of_that_program():
    for row in FLAGS:
        if row.flag == "--w_cross_entropy":  # only in the README's own command; its parser did not take it
            continue
        verb, flags = PARSERS[row.program]
        assert row.flag in flags.split(), row
        assert row.verb == tuple(verb.split()), row
        assert (row.ours is None) == bool(row.instead), row


@pytest.fixture
def spinetk(monkeypatch, capsys):
    def run(line: str, *more: object) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["spinetk", *line.split(), *map(str, more)])
        with pytest.raises(SystemExit) as stop:
            main()
        return int(stop.value.code or 0), capsys.readouterr().err

    return run


def test_a_flag_that_is_done_otherwise_is_answered_in_one_line(spinetk):
    code, err = spinetk("segment train atria --num_layers 1 --save_after_epochs 100 --padding (30,30,30)")
    assert code == 2
    lines = err.splitlines()
    assert lines[0].startswith("spinetk: --save_after_epochs of the original's V-Net train.py: use --check-every")
    assert lines[1].endswith("use --margin MM")
    assert len(lines) == 2


@pytest.mark.parametrize(
    ("verb", "typed", "meant"),
    [
        ("discs train", "p --att true", "p --att"),
        ("discs train", "p --att True --epochs 3", "p --att --epochs 3"),
        ("discs train", "p --att False", "p --no-att"),
        ("discs train", "p --no-att false", "p --att"),
        ("discs train", "--att=false p", "--no-att p"),
        ("discs train", "--att p", "--att p"),
        ("discs train", "p --evaluate true --attshow true", "p --evaluate --attshow"),
        ("discs train", "p -e False", "p"),
        ("discs train", "p --resume true", "p --resume"),
        ("discs train", "p --modality t1", "p --modality T1w"),
        ("discs train", "p --schedule 60 90 --gamma 0.1", "p --schedule 60 --schedule 90 --gamma 0.1"),
        ("discs train", "--schedule 60 90 p", "--schedule 60 --schedule 90 p"),
        ("segment predict", "--surface false -- --surface true", "-- --surface true"),
        ("discs train", "p --out true", "p --out true"),
        ("discs train", "p --out --att", "p --out --att"),
        ("discs prepare", "d --target=q --mode 2", "d --out q --modality T2w"),
        ("segment train", "d --attention_module False --num_layers 1", "d --no-attention --num-layers 1"),
        ("segment train", "d --n_batch 8 --n_chunk 5", "d --batch 8 --channels 5"),
        ("segment evaluate", "d --restore_path x.pth --do_visualize_predictions", "d --model x.pth --pictures"),
        ("split", "cases --stratify Hardware", "cases --stratify=Hardware"),
    ],
)
def test_what_is_typed_and_what_is_meant(verb, typed, meant):
    assert parsed(verb, typed) == parsed(verb, meant)


def parsed(verb: str, line: str) -> dict[str, object]:
    """The values that the verb's function is called with."""
    place = typer.main.get_command(app)
    context = place.make_context("spinetk", [*verb.split(), "x"])
    for word in verb.split()[:-1]:
        place = place.commands[word]
        context = place.make_context(word, ["x"], parent=context)
    return place.commands[verb.split()[-1]].make_context(verb.split()[-1], line.split(), parent=context).params


def test_all_lines_at_once():
    with pytest.raises(OriginalFlagError) as stop:
        understood(["p", "--njoints", "11", "--val_batch", "4"], ("discs", "train"), options_of("discs train"))
    assert [line.split()[0] for line in stop.value.lines] == ["--njoints", "--val_batch"]


def test_a_finished_run_is_evaluated_and_not_trained_again(monkeypatch, spinetk, tmp_path):
    """As ``main.py --evaluate true``, which never trained."""
    trained, evaluated = [], []
    monkeypatch.setattr(
        "spinetk.discs.trainer.train", lambda *_, **__: trained.append(1) or tmp_path / "model_final.pth"
    )
    monkeypatch.setattr("spinetk.discs.commands.evaluate", lambda *given, **_: evaluated.append(given[1]))
    spinetk("discs train prepared --evaluate true -o", tmp_path)
    assert (trained, len(evaluated)) == ([1], 1)
    (tmp_path / "model_final.pth").touch()
    spinetk("discs train prepared --evaluate true -o", tmp_path)
    assert (trained, len(evaluated)) == ([1], 2)
    spinetk("discs train prepared -e true --resume true -o", tmp_path)
    assert (trained, len(evaluated)) == ([1, 1], 3)
