"""Tell Alembic what to migrate."""

from services.attribution.store.schema import metadata
from services.chassis.migrations import run_environment

run_environment(metadata)
