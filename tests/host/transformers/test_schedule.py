"""f(sigma) and the part of the schedule, on flows and on the model that counts as SD does."""

from __future__ import annotations

import pytest
import torch

# sigma of a flow -> f(sigma / (1 - sigma)), as the design has it
FACTORS = {1.0: 1.32, 0.9: 1.20, 0.75: 0.87, 0.5: 0.53, 0.25: 0.26, 0.05: 0.06}
FAMILIES = pytest.mark.parametrize("family", ["flux", "wan", "zimage", "cosmos_predict2"])


@pytest.mark.parametrize(("sigma", "factor"), FACTORS.items())
def test_a_flow_counts_as_the_noise_that_sd_would_see(pack, sigma: float, factor: float) -> None:
    core = pack.collage_core.attention.bias
    found = core.schedule_factor("paper", core.noise_to_signal(sigma))
    assert found == pytest.approx(factor, abs=0.006)


@pytest.fixture
def acts(predict, transformers):
    """Whether the bias changes what a case predicts at a sigma; without it, no bit is other."""

    def run(case, sigma: float) -> bool:
        found, plain = (
            predict(model, {"positive": case.positive}, case.x, sigma)["positive"]
            for model in (case.patched, case.model)
        )
        return not torch.equal(found, plain)

    return run


@FAMILIES
def test_a_part_of_the_schedule(make_case, acts, family: str) -> None:
    case = make_case(family, start=0.2, end=0.6)
    sigma = case.model.model.model_sampling.percent_to_sigma
    first, last = sigma(0.2), sigma(0.6)
    found = [acts(case, at) for at in (first * 1.01, first * 0.99, last * 1.01, last * 0.99)]
    assert found == [False, True, True, False]


@FAMILIES
def test_from_the_beginning_to_the_end(make_case, acts, family: str) -> None:
    case = make_case(family)
    sampling = case.model.model.model_sampling
    assert acts(case, float(sampling.sigma_max) * 1.01)  # a custom schedule may begin above
    assert acts(case, 0.05)


@FAMILIES
def test_the_factor_is_that_of_the_models_own_sigma(make_case, predict, pack, family) -> None:
    """A constant factor of the same size predicts the same, to the bit."""
    core = pack.collage_core.attention.bias
    case = make_case(family, attract=0.4, repel=0.8)
    flow = family != "cosmos_predict2"
    factor = core.schedule_factor("paper", core.noise_to_signal(0.75) if flow else 0.75)
    constant = make_case(family, attract=0.4 * factor, repel=0.8 * factor, schedule="constant")
    found, wanted = (
        predict(one.patched, {"positive": one.positive}, one.x, 0.75)["positive"]
        for one in (case, constant)
    )
    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-4)
