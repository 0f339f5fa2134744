"""The epochs: steps, validation, checkpoint, and when to stop."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from signal import SIGINT, SIGTERM, signal
from types import FrameType
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_fabric.strategies.ddp import DDPStrategy
from numpy.typing import NDArray

from core.training import batches
from core.training.checkpoints import Checkpoints
from core.training.inputs import Inputs
from core.training.network import Learner, start_head
from core.training.objectives import CrossEntropy, PairHead
from core.training.runs import Epoch, HardTriplet, best_of
from core.training.settings import Settings
from core.training.validation import Judgement, judge

Items = NDArray[np.intp]
_EVAL_BATCH = 64


@dataclass(frozen=True)
class Task:
    """What is learned from: rows of training and validation images, the class of every row, and its content id."""

    inputs: Inputs
    train: Items
    val: Items
    codes: Items
    ids: NDArray[np.str_]


@dataclass(frozen=True)
class Hooks:
    """Whom the loop tells: of each step (done, of how many, epoch with its fraction, loss), and of each epoch."""

    step: Callable[[int, int, float, float], None]
    epoch: Callable[[Epoch], None]


def fabric_for(settings: Settings) -> Fabric:
    """Device and precision: every GPU there is, with bfloat16 where it has that; a CPU in single precision.

    bfloat16 is slower than single precision on CPUs without its instructions, so a CPU never uses it.
    """
    cuda = torch.cuda.is_available()
    precision: Any = "32-true" if not cuda else "bf16-mixed" if torch.cuda.is_bf16_supported() else "16-mixed"
    devices: Any = settings.devices or ("auto" if cuda else 1)
    # The trunk has no gradients while it is frozen.
    strategy: Any = "auto" if devices == 1 else DDPStrategy(find_unused_parameters=settings.frozen_epochs > 0)
    return Fabric(accelerator="cuda" if cuda else "cpu", devices=devices, strategy=strategy, precision=precision)


def run(
    fabric: Fabric, learner: Learner, task: Task, settings: Settings, checkpoints: Checkpoints, hooks: Hooks
) -> bool:
    """Train until the last epoch, or until validation has not improved for ``patience`` epochs.

    Goes on after the last checkpoint where there is one. On Ctrl-C or SIGTERM it stops after the step.

    Returns:
        Whether it came to its end; False if it was asked to stop.
    """
    torch.use_deterministic_algorithms(fabric.device.type == "cpu", warn_only=True)
    return _Loop(fabric, learner, task, settings, checkpoints, hooks).run()


def part(fabric: Fabric) -> None:
    """End the company of processes that shared a training: the first goes on alone, and its helpers are gone.

    A helper skips what an interpreter does at its end: threads of the process group may still run then, and would
    abort it, which its launcher takes for a failure of all.
    """
    if fabric.world_size > 1:
        fabric.barrier()
        torch.distributed.destroy_process_group()
    if not fabric.is_global_zero:
        os._exit(0)


class _Loop:
    def __init__(
        self, fabric: Fabric, learner: Learner, task: Task, settings: Settings, checkpoints: Checkpoints, hooks: Hooks
    ) -> None:
        self.fabric, self.learner, self.task, self.settings = fabric, learner, task, settings
        self.checkpoints, self.hooks = checkpoints, hooks
        self.codes = task.codes[task.train]
        self.history: list[Epoch] = []
        self.best = 0
        # Each device takes its own batch of a step; what is left over at the end of an epoch rests.
        self.steps = max(1, batches.steps(settings.objective, self.codes, settings.batch) // fabric.world_size)

    def run(self) -> bool:
        restored = self.checkpoints.restore(self.settings.metric)
        if restored is not None:
            self.learner.load_state_dict(dict(restored.weights))
            self.history, self.best = list(restored.history), restored.best
        elif self.fabric.is_global_zero:
            self._seed(0)
            self._start()
        module, optimizer = self._set_up()
        if restored is not None:
            optimizer.load_state_dict(restored.optimizer)
        else:
            self._finish(optimizer, None, time.perf_counter())
        with _stopping() as asked:
            while not self._is_over():
                started = time.perf_counter()
                loss = self._epoch(module, optimizer, asked)
                if loss is None:
                    return False
                self._finish(optimizer, loss, started)
                if self._agreed(asked()):
                    break
        return self._is_over()

    def _start(self) -> None:
        """Set what starts from the features of the training images."""
        features = torch.from_numpy(self._vectors(self.task.train, self.learner.features))
        if self.learner.head is not None:
            start_head(self.learner.head, features)
        if isinstance(self.learner.objective, CrossEntropy):
            with torch.inference_mode():
                head = self.learner.head
                vectors = features if head is None else torch.nn.functional.normalize(head(features), dim=1)
            self.learner.objective.start(vectors, torch.from_numpy(self.codes))

    def _set_up(self) -> tuple[Any, Any]:
        groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
        for name, parameter in self.learner.named_parameters():
            # Norms and biases are left alone by weight decay.
            groups.setdefault((name.startswith("trunk."), parameter.ndim > 1), []).append(parameter)
        settings = self.settings
        optimizer = torch.optim.AdamW(
            [
                {"params": found, "peak": settings.lr * (settings.trunk_lr if trunk else 1.0),
                 "weight_decay": settings.weight_decay if decay else 0.0}
                for (trunk, decay), found in groups.items()
            ],
            lr=settings.lr,
        )  # fmt: skip
        if self.learner.trunk is not None:
            self.learner.trunk.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        module, wrapped = self.fabric.setup(self.learner, optimizer)
        return module, wrapped

    def _epoch(self, module: Any, optimizer: Any, asked: Callable[[], bool]) -> float | None:
        """Mean loss of an epoch; None where it was stopped before its end."""
        number = self.history[-1].number + 1
        random = self._seed(number)
        self.learner.freeze(number <= self.settings.frozen_epochs)
        module.train()
        items = batches.KINDS[self.settings.objective](self.codes, self.settings.batch, random)
        rank, world = self.fabric.global_rank, self.fabric.world_size
        chosen = list(islice(items, rank, self.steps * world, world))[: self.steps]
        rows = [self.task.train[batch] for batch in chosen]
        losses: list[float] = []
        total = self.settings.epochs * self.steps
        for step, (batch, inputs) in enumerate(zip(rows, self.task.inputs.train(rows, number), strict=True)):
            done = (number - 1) * self.steps + step
            self._set_rates(optimizer, done)
            codes = torch.from_numpy(self.task.codes[batch]).to(self.fabric.device)
            loss = module(inputs.to(self.fabric.device), codes)
            optimizer.zero_grad()
            self.fabric.backward(loss)
            self.fabric.clip_gradients(module, optimizer, max_norm=self.settings.clip, error_if_nonfinite=False)
            optimizer.step()
            losses.append(float(loss.detach()))
            self.hooks.step(done + 1, total, number - 1 + (step + 1) / self.steps, losses[-1])
            if step + 1 < len(rows) and self._agreed(asked()):
                return None
        return float(np.mean(losses))

    def _finish(self, optimizer: Any, loss: float | None, started: float) -> None:
        """Judge an epoch and keep it."""
        found: Epoch | None = None
        if self.fabric.is_global_zero:
            judgement = self._judge()
            number = self.history[-1].number + 1 if self.history else 0
            lr = 0.0 if loss is None else self.settings.lr * self._scale(number * self.steps - 1)
            seconds = time.perf_counter() - started
            found = Epoch(number, round(seconds, 3), loss, lr, judgement.values)
            history, hard = [*self.history, found], self._named(judgement)
            best = self._best_with(found)
            self.checkpoints.write(self.learner.state_dict(), optimizer.state_dict(), history, best, hard)
        kept = self.fabric.broadcast(found)
        assert kept is not None  # the first process has judged
        self.best = self._best_with(kept)
        self.history.append(kept)
        self.hooks.epoch(kept)

    def _best_with(self, epoch: Epoch) -> int:
        """The best epoch once this one is there too; of those before, only the best one's weights are kept."""
        return best_of([*self.history[self.best : self.best + 1], epoch], self.settings.metric)

    def _judge(self) -> Judgement:
        task, learner = self.task, self.learner
        head = learner.objective if isinstance(learner.objective, PairHead) else None
        learner.eval()
        return judge(
            self._vectors(task.train, learner.embed), self._vectors(task.val, learner.embed), self.codes,
            task.codes[task.val], lambda vectors: _scores(vectors, head, self.fabric.device),
        )  # fmt: skip

    def _vectors(self, rows: Items, of: Callable[[torch.Tensor], torch.Tensor]) -> NDArray[np.float32]:
        self.learner.eval()
        device = next(self.learner.parameters()).device
        with torch.inference_mode():
            parts = [of(part.to(device)).float().cpu() for part in self.task.inputs.plain(rows, _EVAL_BATCH)]
        return np.asarray(torch.cat(parts).numpy(), np.float32)

    def _named(self, judgement: Judgement) -> list[HardTriplet]:
        ids = self.task.ids[self.task.val]
        return [HardTriplet(str(ids[a]), str(ids[p]), str(ids[n]), near, far) for a, p, n, near, far in judgement.hard]

    def _is_over(self) -> bool:
        last = self.history[-1].number
        return last >= self.settings.epochs or last - self.best >= self.settings.patience

    def _seed(self, epoch: int) -> np.random.Generator:
        """Everything drawn in an epoch hangs on the seed and the epoch alone."""
        rank = self.fabric.global_rank
        number = int(np.random.SeedSequence([self.settings.seed, epoch, rank]).generate_state(1)[0])
        torch.manual_seed(number)
        np.random.seed(number)
        return np.random.default_rng([self.settings.seed, epoch])

    def _set_rates(self, optimizer: Any, step: int) -> None:
        for group in optimizer.param_groups:
            group["lr"] = group["peak"] * self._scale(step)

    def _scale(self, step: int) -> float:
        """Share of the peak rate: rising at first, then falling along half a cosine (arXiv 1608.03983)."""
        total = self.settings.epochs * self.steps
        warm = self.settings.warmup * total
        if step + 1 <= warm:
            return (step + 1) / warm
        return 0.5 * (1 + math.cos(math.pi * (step + 1 - warm) / max(1.0, total - warm)))

    def _agreed(self, stop: bool) -> bool:
        """Whether any process was asked to stop: all stop together."""
        if self.fabric.world_size == 1:
            return stop
        votes: Any = self.fabric.all_reduce(torch.tensor(float(stop)), reduce_op="sum")
        return bool(votes > 0)


def _scores(vectors: NDArray[np.float32], head: PairHead | None, device: torch.device) -> NDArray[np.float32]:
    """Similarities of all pairs: cosines, or the probabilities of a pair head."""
    if head is None:
        return np.asarray(vectors @ vectors.T)
    given = torch.from_numpy(vectors).to(device)
    with torch.inference_mode():
        rows = [head.logits(one.expand_as(given), given).sigmoid().cpu() for one in given]
    return np.asarray(torch.stack(rows).numpy(), np.float32)


@contextmanager
def _stopping() -> Iterator[Callable[[], bool]]:
    """Notes that the process was asked to stop, instead of stopping it; asked twice, it stops at once."""
    asked: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = {number: signal(number, note) for number in (SIGINT, SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal(number, handler)
