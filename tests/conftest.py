"""Fixtures for every test. No sys.path edits: `run.py test` sets the path up."""

from __future__ import annotations

import pytest
import torch


@pytest.fixture
def generator() -> torch.Generator:
    """A random generator that starts the same in every test."""
    return torch.Generator().manual_seed(20231014)
