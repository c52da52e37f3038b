"""test runs

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "test_runs",
        sa.Column("id", sa.String(length=320), nullable=False),
        sa.Column("suite", sa.String(length=200), nullable=False),
        sa.Column("branch", sa.String(length=255), nullable=False),
        sa.Column("commit", sa.String(length=64), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verdict", sa.String(length=20), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("news", sa.Text(), nullable=True),
        sa.Column("tests", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_test_runs")),
    )
    with op.batch_alter_table("test_runs", schema=None) as batch_op:
        batch_op.create_index("ix_test_runs_suite_at", ["suite", "branch", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_test_runs_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_test_runs_commit"), ["commit"], unique=False)
        batch_op.create_index(batch_op.f("ix_test_runs_taken_at"), ["taken_at"], unique=False)

    op.create_table(
        "reports",
        sa.Column("run_id", sa.String(length=320), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("run_id", "part", name=op.f("pk_reports")),
    )

    op.create_table(
        "suites",
        sa.Column("suite", sa.String(length=200), nullable=False),
        sa.Column("branch", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("latest_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("tests", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("suite", "branch", name=op.f("pk_suites")),
    )

    op.create_table(
        "suite_alarms",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("open_key", sa.String(length=500), nullable=True),
        sa.Column("suite", sa.String(length=200), nullable=False),
        sa.Column("branch", sa.String(length=255), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_suite_alarms")),
        sa.UniqueConstraint("open_key", name=op.f("uq_suite_alarms_open_key")),
    )
    with op.batch_alter_table("suite_alarms", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_suite_alarms_suite"), ["suite"], unique=False)


def downgrade() -> None:
    for table in ("suite_alarms", "suites", "reports", "test_runs"):
        op.drop_table(table)
