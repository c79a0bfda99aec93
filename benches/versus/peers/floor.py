"""No nameserver at all: the kernel's share (floor.rs)."""

import subprocess
from pathlib import Path

from workloads import ADDRESS, SCENES

from . import Server


class Floor(Server):
    """Sends one fixed answer, that of the workload `static`, in every scene."""

    name, workloads = "floor", ("static",)

    def __init__(self, build: Path):
        self.build = build

    def scenes(self) -> list:
        return list(SCENES)

    def version(self) -> str:
        """Builds it, too."""
        source, program = Path(__file__).parents[1] / "floor.rs", self.build / "floor"
        subprocess.run(["rustc", "--edition", "2024", "-O", source, "-o", program], check=True)
        return "(a fixed answer)"

    def prepare(self, scene: str, home: Path, port: int, world) -> list:
        return [self.build / "floor", f"{ADDRESS}:{port}"]
