"""What a model would answer, without drawing: chances added up over all right answers.

The tasks list every right answer, so that no evaluation has noise. Introduced in the
chapter on reinforcement learning.

Shapes: Q questions, A solutions, F formats, T answer tokens, H temperatures.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from scaling_core.data.arithmetic import AnswerTask
from scaling_core.data.countdown import CountDown
from scaling_core.models.transformer import Transformer
from scaling_core.rl.losses import answer_logits, log_probs

ROWS = 1024  # of one forward pass: activations stay near the cache
ANSWERS = 6  # to each question, that counts are expected of


def solutions(task: AnswerTask, question_Q: Tensor) -> tuple[Tensor, Tensor]:
    """Return of each solution its question's place in ``question_Q``, and its texts.

    Places (A,) and texts in each format (A, F, T): of a sum one solution, of a question
    of CountDown all expressions that reach the target.
    """
    row_A = of_A = question_Q
    if isinstance(task, CountDown):
        row_A = torch.isin(task.question_of, question_Q).nonzero()[:, 0]
        of_A = task.question_of[row_A]
    found, order = question_Q.sort()
    return order[torch.searchsorted(found, of_A)], task.answers[row_A].long()


@torch.inference_mode()
def chances(
    model: Transformer,
    task: AnswerTask,
    question_Q: Tensor,
    temperatures: Sequence[float] = (1.0,),
) -> tuple[Tensor, Tensor]:
    """Return the chances of a right answer and of a tag, by format, both (H, Q, F).

    A right answer's chance is the product of its tokens' up to the stop; those of
    different right answers add up.
    """
    place_A, text_AFT = solutions(task, question_Q)
    Q, F, device = len(question_Q), text_AFT.shape[1], model.embedding.weight.device
    prompt_BP = task.prompt(question_Q[place_A]).repeat_interleave(F, dim=0)
    answer_BT = text_AFT.flatten(0, 1)
    tokens, n = torch.cat((prompt_BP, answer_BT), dim=1), prompt_BP.shape[1]
    parts = (answer_logits(model, x.to(device), n) for x in tokens.split(ROWS))
    logits_BTV = torch.cat([*parts]).cpu()
    counted_BT, one_Q = task.counted(answer_BT), torch.empty(Q, dtype=torch.long)
    one_Q[place_A] = F * torch.arange(len(place_A))  # a row of each question
    right, tags = [], []
    for temperature in temperatures:
        heated = logits_BTV / temperature
        p_B = (log_probs(heated, answer_BT) * counted_BT).sum(dim=1).exp()
        right.append(torch.zeros(Q, F).index_add(0, place_A, p_B.view(-1, F)))
        tags.append(heated[one_Q, 0].softmax(dim=-1)[:, task.stop - F : task.stop])
    return torch.stack(right), torch.stack(tags)


def expected_counts(right_QF: Tensor, tag_QF: Tensor) -> list[list[float]]:
    """Return how many answers, and right ones, to expect in each format, (2, F + 1).

    Of `ANSWERS` to each question; the last has no format.

    >>> expected_counts(torch.tensor([[0.25, 0.0]]), torch.tensor([[0.5, 0.25]]))
    [[3.0, 1.5, 1.5], [1.5, 0.0, 0.0]]
    """
    drawn, good = (x.double().sum(dim=0) for x in (tag_QF, right_QF))
    none = torch.tensor([len(tag_QF) - drawn.sum(), 0.0]).double()
    table = torch.column_stack((torch.stack((drawn, good)), none))
    return (ANSWERS * table).tolist()


def look(
    model: Transformer, task: AnswerTask, temperature: float = 1.0
) -> list[list[float]]:
    """Return `expected_counts` of the held-out questions."""
    right, tags = chances(model, task, task.test, [temperature])
    return expected_counts(right[0], tags[0])
