"""Migrate the schema of this service."""

import os
import sys

from services.chassis.migrations import main

if __name__ == "__main__":
    sys.exit(main("services.attribution.store:migrations", os.environ, schema="attribution"))
