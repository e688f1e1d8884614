"""What is spread over devices, on two of them: every other test runs on one."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

TESTS = Path(__file__).parent


@pytest.mark.devices
def test_there_are_as_many_devices_as_asked_for():
    assert jax.device_count() == int(os.environ["JAX_NUM_CPU_DEVICES"])


@pytest.mark.slow
def test_members_are_spread_over_two_devices(tmp_path: Path):
    options = ("-n0", "-p", "no:cacheprovider", "--basetemp", tmp_path / "child", "-m", "devices")
    places = [TESTS / name for name in ("test_devices.py", "training", "forecast")]
    child = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *places],
        env=os.environ | {"JAX_NUM_CPU_DEVICES": "2"},
        capture_output=True,
        text=True,
    )
    assert child.returncode == 0, child.stdout + child.stderr
