"""reruns

Revision ID: 0003
Revises: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "reruns",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("suite", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("open_key", sa.String(length=500), nullable=True),
        sa.Column("open_slot", sa.String(length=220), nullable=True),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reruns")),
        sa.UniqueConstraint("open_key", name=op.f("uq_reruns_open_key")),
        sa.UniqueConstraint("open_slot", name=op.f("uq_reruns_open_slot")),
    )
    with op.batch_alter_table("reruns", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_reruns_suite"), ["suite"], unique=False)
        batch_op.create_index(batch_op.f("ix_reruns_state"), ["state"], unique=False)


def downgrade() -> None:
    op.drop_table("reruns")
