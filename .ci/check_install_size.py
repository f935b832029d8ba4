"""Fail when the base install outgrows its promise: 40 packages and 80 MB without bytecode."""

import sys
import sysconfig
from importlib import metadata
from pathlib import Path

PACKAGES_MAX = 40
SIZE_MAX_MB = 80
#: What a new virtual environment has of its own.
NOT_OURS = {"pip", "setuptools", "wheel"}

distributions = [d for d in metadata.distributions() if d.name.lower() not in NOT_OURS]
site_packages = Path(sysconfig.get_paths()["purelib"])
not_ours = tuple(str(site_packages / name) for name in sorted(NOT_OURS))
size_bytes = sum(
    file.stat().st_size
    for file in site_packages.rglob("*")
    if file.is_file() and "__pycache__" not in file.parts and not str(file).startswith(not_ours)
)
size_mb = size_bytes / 1e6
print(f"base install: {len(distributions)} packages, {size_mb:.1f} MB without bytecode")
if len(distributions) > PACKAGES_MAX or size_mb > SIZE_MAX_MB:
    sys.exit(f"too large: at most {PACKAGES_MAX} packages and {SIZE_MAX_MB} MB")
