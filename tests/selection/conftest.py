"""What tests of choosing share."""

import pytest


@pytest.fixture
def as_users_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without jaxtyping's checks, which tests switch on and which would come first."""
    monkeypatch.setattr("jaxtyping.config.jaxtyping_disable", True)
