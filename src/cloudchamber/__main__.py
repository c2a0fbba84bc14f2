"""``python -m cloudchamber STEP ...``: what every rule of the pipeline calls."""

import sys

from cloudchamber.cli import main

if __name__ == "__main__":
    sys.exit(main())
