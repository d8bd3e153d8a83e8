"""Tell Alembic what to migrate."""

from services.chassis.migrations import run_environment
from services.credentials.store.schema import metadata

run_environment(metadata)
