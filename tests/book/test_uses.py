"""The API and its users: what a chapter imports is found, and is listed."""

import importlib
from pathlib import Path

import pytest

from scaling_book.chapters import ChapterFile, list_chapters
from scaling_book.uses import INNER, names_in, public_names, used_names, with_constants
from scaling_core.base.codehash import module_file

ROOT = Path(__file__).parents[2]

# Names without an example of their own, and why; a class may have it in a method.
NO_EXAMPLE = {
    "reads optional files or the network": """
        base.inputs.hash_input base.inputs.note_input base.inputs.noted_inputs
        base.inputs.optional_folder base.inputs.name_input base.inputs.locate_named
        data.images.cifar10 data.images.svhn data.images.image_folder data.online.check
        data.online.chinchilla_points data.online.fetch data.published.load_published
        models.hub.load_transformer models.hub.from_transformers""",
    "draws in a notebook": """
        base.interactive.interactive_html base.interactive.show_interactive""",
    "a result: the function that returns it has the example": """
        base.intervals.Interval base.intervals.Resamples base.slopes.LogLinear
        data.online.OnlineFile fitting.Allocation fitting.Bootstrap fitting.FitResult
        fitting.Extrapolation models.interventions.SkipEffects
        models.sparse_features.Cells models.transformer.Streams rl.experts.Round
        rl.experts.Drawn rl.loop.PolicyLog rl.samples.Samples
        training.loop.TrainingLog""",
    "a part of Transformer, or what a part of it does": """
        models.attention.linear models.attention.rotate models.attention.KVCache
        models.attention.Attention models.attention.attend
        models.attention.ManyAttention models.attention.attend_one models.blocks.Norm
        models.blocks.MLP models.blocks.Block models.blocks.DepthReads
        models.config.Family models.resnet.Block""",
    "a step of train_policy or of sample_answers, which have examples": """
        rl.losses.answer_logits rl.many.Stack rl.many.train_policies rl.policy.Policy
        rl.policy.rewarded rl.policy.answers_loss rl.policy.frozen_log_probs
        rl.policy.batches rl.samples.verified""",
    "a step of train, train_ensemble or run_sweep, which have examples": """
        data.arithmetic.AnswerTask models.sparse_features.SparseFeatures
        training.checkpoint.run_name training.checkpoint.load_checkpoint
        training.checkpoint.load_tensors training.ensemble.Adam
        training.ensemble.Ensemble training.loop.precision training.sweep.identify
        training.sweep.frame training.cluster.RayTasks""",
    "trains for longer than an example may": """
        models.resnet.ResNetTraining rl.experts.expert_iteration
        training.text.TextSetting""",
}


def resolved(source):
    return {name.removeprefix("scaling_core.") for name in names_in(source)}


@pytest.mark.parametrize(
    "source, found",
    [
        ("from scaling_core.fitting import fit", {"fitting.fit"}),
        ("from scaling_core.fitting.laws import PowerLaw as P", {"fitting.PowerLaw"}),
        ("from scaling_core.fitting.laws import FLOPS", {"fitting.laws.FLOPS"}),
        # re-exported: where it is defined
        (
            "from scaling_core.training.loop import Training",
            {"training.settings.Training"},
        ),
        (
            "from scaling_core.data import images\nimages.digits().x",
            {"data.images.digits"},
        ),
        (
            "import scaling_core.base.slopes\nscaling_core.base.slopes.fit_slopes(1, 2)",
            {"base.slopes.fit_slopes"},
        ),
        (
            "import scaling_core.base.slopes as s\ns.fit_slopes",
            {"base.slopes.fit_slopes"},
        ),
        ("from numpy import fit\nfrom scaling_book.api import Chapter", set()),
    ],
)
def test_names_are_found_where_they_are_defined(source, found):
    assert resolved(source) == found


def test_every_name_that_a_chapter_imports_is_in_the_api():
    for chapter in list_chapters(ROOT):
        used = used_names(ROOT, chapter)
        assert used, f"{chapter.slug} uses nothing of scaling_core?"
        missing = used - set(with_constants(used))
        assert not missing, f"{chapter.slug} uses what the API lacks: {missing}"


@pytest.mark.parametrize(
    "line",
    [
        "from scaling_core.training.store import connect",  # an inner module
        "from scaling_core.fitting.newton import minimise",  # not exported
        "from scaling_core.fitting import nothing",
        "from scaling_core.rl.losses import _hidden",
    ],
)
def test_a_planted_import_of_what_is_not_public_is_seen(line, tmp_path):
    study = tmp_path / "studies" / "one_more"
    study.mkdir(parents=True)
    (study / "measure.py").write_text(line)
    notebook = tmp_path / "01_one-more.py"
    notebook.write_text("from scaling_core.fitting import fit")
    used = used_names(tmp_path, ChapterFile("01_one-more", "one-more", notebook))
    assert len(used) == 2
    assert len(used - set(with_constants(used))) == 1


def test_modules_left_out_exist_and_no_public_name_is_hidden():
    for module in INNER:
        assert module_file(module)
    assert not any(name.rpartition(".")[2].startswith("_") for name in public_names())


def test_exports_and_their_types_agree():
    """What type checkers read of the fitters is what the package exports."""
    import scaling_core.fitting as fitting

    stub = (ROOT / "scaling_core/fitting/__init__.pyi").read_text()
    lines = [line for line in stub.splitlines() if line.startswith("from")]
    assert sorted(lines) == sorted(
        f"from scaling_core.fitting.{module} import {name} as {name}"
        for name, module in fitting._EXPORTS.items()
    )


def test_public_names_have_an_example_or_a_reason():
    """An example is run by the suite (--doctest-modules)."""
    without = set()
    for entry in public_names().values():
        thing = getattr(importlib.import_module(entry.module), entry.short)
        held = vars(thing).values() if entry.kind == "class" else ()
        methods = [x for x in held if callable(x) or isinstance(x, property)]
        texts = [getattr(x, "__doc__", None) or "" for x in (thing, *methods)]
        if entry.kind != "exception" and not any(">>>" in text for text in texts):
            without.add(entry.name.removeprefix("scaling_core."))
    excused = [name for names in NO_EXAMPLE.values() for name in names.split()]
    assert len(excused) == len(set(excused))
    assert without == set(excused)
