"""The date to which a patient said yes."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("enrollments", sa.Column("confirmed_for", sa.Date(), nullable=True))


def downgrade() -> None:
    op.drop_column("enrollments", "confirmed_for")
