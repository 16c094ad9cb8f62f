"""What the template costs, measured against the floor: `python -m benchmarks`."""

import sys
from pathlib import Path

TEMPLATE = Path(__file__).parent.parent

# The servers and the containers of the tests serve here, too.
sys.path[:0] = [str(TEMPLATE / "tests"), str(TEMPLATE / "tests" / "docker")]
