"""What patients answer, and urgent tasks found first."""

import sqlalchemy as sa
from alembic import op

from journey.store.instants import Instant

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_URGENT = sa.text("done_at IS NULL AND kind IN ('red_flag', 'calls_off')")


def upgrade() -> None:
    op.create_table(
        "replies",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("provider_id", sa.String(255), nullable=False),
        sa.Column("enrollment_id", sa.Uuid(), nullable=True),
        sa.Column("task_id", sa.Uuid(), nullable=True),
        sa.Column("at", Instant(), nullable=False),
        sa.Column("sealed_content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_replies")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_replies_provider_id")),
        sa.ForeignKeyConstraint(["enrollment_id"], ["enrollments.id"], name=op.f("fk_replies_enrollment_id")),
        sa.ForeignKeyConstraint(["task_id"], ["staff_tasks.id"], name=op.f("fk_replies_task_id")),
    )
    op.create_index(op.f("ix_replies_enrollment_id"), "replies", ["enrollment_id"])
    op.create_index(op.f("ix_replies_task_id"), "replies", ["task_id"])
    op.create_index(
        "ix_staff_tasks_urgent", "staff_tasks", ["due_at"], postgresql_where=_URGENT, sqlite_where=_URGENT
    )


def downgrade() -> None:
    op.drop_index("ix_staff_tasks_urgent", "staff_tasks")
    op.drop_table("replies")
