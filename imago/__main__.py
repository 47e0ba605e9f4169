"""`python -m imago` is the command `imago`."""

import sys

from imago import cli

if __name__ == "__main__":
    sys.exit(cli.main())
