"""`python -m catnn` is the `catnn` command."""

import sys

from catnn.cli import main

if __name__ == "__main__":
    sys.exit(main())
