"""Shipments are packed in packages; what is packed already is one package with everything, under the number that it has."""

import sqlalchemy as sa
from alembic import op

from services.runtime.db import Int64, UtcDateTime

revision = "0012"
down_revision = "0010"
branch_labels = None
depends_on = None

_EVENTS = "carrier, event_id, tracking_number, status, occurred_at, recorded_at"


def upgrade() -> None:
    _create_packages()
    op.execute(
        "INSERT INTO package (shipment_id, number, weight_grams, length_mm, width_mm, height_mm, tracking_number, "
        "delivered_at, exception_at) SELECT shipment_id, 1, (SELECT CAST(sum(quantity * unit_weight_grams) AS bigint) "
        "FROM shipment_line WHERE shipment_line.shipment_id = shipment.shipment_id), 0, 0, 0, tracking_number, delivered_at, "
        "exception_at FROM shipment WHERE warehouse_id <> '' AND packed_at IS NOT NULL"
    )
    op.execute(
        "INSERT INTO package_line (shipment_id, number, line_id, sku, quantity) "
        "SELECT package.shipment_id, 1, line_id, sku, quantity FROM package "
        "JOIN shipment_line ON shipment_line.shipment_id = package.shipment_id"
    )
    _refer_to("package")


def downgrade() -> None:
    """Several packages are one again; what carriers said of the others is gone."""
    op.execute(
        "DELETE FROM carrier_event WHERE tracking_number NOT IN (SELECT tracking_number FROM shipment WHERE tracking_number IS NOT NULL)"
    )
    _refer_to("shipment")
    op.drop_table("package_line")
    op.drop_table("package")


def _create_packages() -> None:
    measures = ("weight_grams", "length_mm", "width_mm", "height_mm")
    op.create_table(
        "package",
        sa.Column("shipment_id", sa.Text(), nullable=False),
        sa.Column("number", Int64, nullable=False),
        *(sa.Column(name, Int64, nullable=False) for name in measures),
        sa.Column("sscc", sa.Text(), nullable=True),
        sa.Column("tracking_number", sa.Text(), nullable=True),
        sa.Column("delivered_at", UtcDateTime(), nullable=True),
        sa.Column("exception_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "weight_grams >= 0 AND length_mm >= 0 AND width_mm >= 0 AND height_mm >= 0",
            name="package_measures_not_negative",
        ),
        sa.ForeignKeyConstraint(["shipment_id"], ["shipment.shipment_id"]),
        sa.PrimaryKeyConstraint("shipment_id", "number"),
        sa.UniqueConstraint("sscc", name="package_sscc_unique"),
        sa.UniqueConstraint("tracking_number", name="package_tracking_number_unique"),
        sqlite_strict=True,
    )
    op.create_table(
        "package_line",
        sa.Column("shipment_id", sa.Text(), nullable=False),
        sa.Column("number", Int64, nullable=False),
        sa.Column("line_id", sa.Text(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("quantity", Int64, nullable=False),
        sa.CheckConstraint("quantity > 0", name="package_line_quantity_positive"),
        sa.ForeignKeyConstraint(
            ["shipment_id", "number"], ["package.shipment_id", "package.number"], name="package_line_of"
        ),
        sa.PrimaryKeyConstraint("shipment_id", "number", "line_id", "sku"),
        sqlite_strict=True,
    )


def _refer_to(table: str) -> None:
    """Carrier events name what this table knows; SQLite changes no constraint: the events are written anew there, under their name."""
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("carrier_event_tracking_number_fkey", "carrier_event", type_="foreignkey")
        op.create_foreign_key(
            "carrier_event_tracking_number_fkey", "carrier_event", table, ["tracking_number"], ["tracking_number"]
        )
        return
    op.drop_index("carrier_event_parcel", "carrier_event")
    op.rename_table("carrier_event", "carrier_event_before")
    op.create_table(
        "carrier_event",
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("carrier", "event_id", "tracking_number", "status")),
        sa.Column("occurred_at", UtcDateTime(), nullable=False),
        sa.Column("recorded_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint(
            "status IN ('in_transit', 'out_for_delivery', 'delivered', 'exception')", name="carrier_event_status_known"
        ),
        sa.ForeignKeyConstraint(["tracking_number"], [f"{table}.tracking_number"]),
        sa.PrimaryKeyConstraint("carrier", "event_id"),
        sqlite_strict=True,
    )
    op.execute(f"INSERT INTO carrier_event ({_EVENTS}) SELECT {_EVENTS} FROM carrier_event_before")  # noqa: S608 - constants
    op.drop_table("carrier_event_before")
    op.create_index("carrier_event_parcel", "carrier_event", ["tracking_number"])
