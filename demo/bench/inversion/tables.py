"""Runs of `bench inversion` as tables: means over objects, spread over seeds, wins and losses."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from itertools import combinations

import torch

TIE = 0.01  # of fidelity: less than this is no difference

Runs = list[dict]


def preset_table(runs: Runs, names: Sequence[str]) -> str:
    """Every method compared with no embedding and with the paper's method."""
    head = [
        "", "fidelity", "spread", "ordinary", "unusual", "features", "colour", "texture",
        "obeyed", "passes", "seconds", "against none", "against paper", "seeds agree",
    ]  # fmt: skip
    rows = [head]
    for name in names:
        own = _of(runs, name)
        rows.append(
            [
                name,
                _share(own, "fidelity"),
                f"{_spread(own):.1f}",
                _share([run for run in own if not run["unusual"]], "fidelity"),
                _share([run for run in own if run["unusual"]], "fidelity"),
                *(_share(own, what) for what in ("features", "colour", "texture")),
                _obeyed(own),
                *(_cost(own, what) for what in ("passes", "seconds")),
                *(_against(runs, name, other) for other in ("none", "paper")),
                _agreement(own),
            ]
        )
    return _markdown(rows)


def ablation_table(runs: Runs, names: Sequence[str]) -> str:
    """Every method compared with the first one."""
    rows = [["", "fidelity", "spread", "obeyed", "gain", "angle", "passes", f"against {names[0]}"]]
    for name in names:
        own = _of(runs, name)
        gain, angle = _mean(own, "gain"), _mean(own, "angle")
        rows.append(
            [
                name,
                _share(own, "fidelity"),
                f"{_spread(own):.1f}",
                _obeyed(own),
                f"{100 * gain:.1f}",
                f"{angle:.0f}",
                _cost(own, "passes"),
                _against(runs, name, names[0]),
            ]
        )
    return _markdown(rows)


def lora_table(runs: Runs, names: Sequence[str]) -> str:
    """Every method with standard errors over objects, and what the last differs by from others."""
    rows = [["", "fidelity", "features", "colour", "texture", "obeyed", "passes", "CPU seconds"]]
    shares = ("fidelity", "features", "colour", "texture", "obeyed")
    each = {name: {what: _each(runs, name, what) for what in shares} for name in names}
    for name in names:
        costs = (_cost(_of(runs, name), what) for what in ("passes", "cpu_seconds"))
        rows.append([name, *(_with_error(each[name][what]) for what in shares), *costs])
    last = names[-1]
    for name in names[:-1]:
        told = [
            _decided([each[last][what][n] - value for n, value in each[name][what].items()])
            for what in shares
        ]
        rows.append([f"{last} less {name}", *told, "", ""])
    return _markdown(rows)


def _each(runs: Runs, name: str, what: str) -> dict[int, float]:
    """The mean over seeds of each object, in points of 100."""
    found = {}
    for own in _by(_of(runs, name), lambda run: run["number"]):
        values = [run[what] / (run["named"] if what == "obeyed" else 1) for run in own]
        found[own[0]["number"]] = 100 * statistics.fmean(values)
    return found


def _with_error(values: dict[int, float]) -> str:
    return f"{statistics.fmean(values.values()):.1f} ± {_error([*values.values()]):.1f}"


def _decided(differences: Sequence[float]) -> str:
    """A mean difference, and whether it is beyond two standard errors."""
    mean, error = statistics.fmean(differences), _error(differences)
    sure = len(differences) > 1 and abs(mean) > 2 * error
    return f"{mean:+.1f} ± {error:.1f}, {'decided' if sure else 'undecided'}"


def _error(values: Sequence[float]) -> float:
    return statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else 0.0


def _of(runs: Runs, name: str) -> Runs:
    return [run for run in runs if run["method"] == name]


def _mean(runs: Runs, what: str) -> float:
    return statistics.fmean(run[what] for run in runs)


def _share(runs: Runs, what: str) -> str:
    return f"{100 * _mean(runs, what):.1f}" if runs else ""


def _spread(runs: Runs) -> float:
    """The standard deviation over seeds of the mean over objects, in points of fidelity."""
    means = [100 * _mean(part, "fidelity") for part in _by(runs, lambda run: run["seed"])]
    return statistics.stdev(means) if len(means) > 1 else 0.0


def _by(runs: Runs, key: Callable[[dict], object]) -> list[Runs]:
    groups: dict[object, Runs] = {}
    for run in runs:
        groups.setdefault(key(run), []).append(run)
    return list(groups.values())


def _obeyed(runs: Runs) -> str:
    return f"{100 * sum(run['obeyed'] for run in runs) / sum(run['named'] for run in runs):.1f}"


def _cost(runs: Runs, what: str) -> str:
    return f"{_mean(runs, what):.0f}" if what in runs[0] else "0"


def _against(runs: Runs, name: str, other: str) -> str:
    """won / tied / lost, run by run."""
    if name == other:
        return ""
    theirs = {(run["number"], run["seed"]): run["fidelity"] for run in _of(runs, other)}
    apart = [
        run["fidelity"] - theirs[run["number"], run["seed"]]
        for run in _of(runs, name)
        if (run["number"], run["seed"]) in theirs
    ]
    won, lost = sum(d > TIE for d in apart), sum(d < -TIE for d in apart)
    return f"{won} / {len(apart) - won - lost} / {lost}"


def _agreement(runs: Runs) -> str:
    """The mean cosine between what two seeds learned of the same object."""
    if "vector" not in runs[0]:
        return ""
    found = []
    for same in _by(runs, lambda run: run["number"]):
        sums = [torch.tensor(run["vector"]).flatten() for run in same]
        found += [torch.cosine_similarity(a, b, 0).item() for a, b in combinations(sums, 2)]
    return f"{statistics.fmean(found):.2f}" if found else ""


def _markdown(rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])
