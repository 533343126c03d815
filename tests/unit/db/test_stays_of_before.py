"""Cameras that were enrolled before stays were written have stood where they stand since then."""

import asyncio
import sqlite3
from pathlib import Path

from alembic import command
from sqlalchemy import create_engine

from gateway.db.dialects import prepare
from gateway.db.engine import configuration, open_database, sqlite_url
from gateway.db.stays import StayRow, StayRows
from kernel.ids import CameraId


def write_camera(path: Path) -> None:
    """Write a database of the version before, with one camera."""
    engine = create_engine(f"sqlite:///{path}")
    prepare(engine)
    with engine.begin() as connection:
        config = configuration()
        config.attributes["connection"] = connection
        command.upgrade(config, "0010")
    engine.dispose()
    database = sqlite3.connect(path)
    database.execute(
        "INSERT INTO devices (id, urn, address, username, password_sealed, connection, description, measured_ns)"
        " VALUES ('d', 'urn:d', 'a', 'u', x'00', '{}', '{}', 1)"
    )
    database.execute(
        "INSERT INTO cameras (id, device_id, source_token, number, name, street, camera_group, latitude_deg,"
        " longitude_deg, bearing_deg, recording, host, enrolled_ns)"
        " VALUES ('c', 'd', 's', 7, 'Gate', 'Mill Lane', '', 51.5, -0.1, 90.0, 1, 0, 1234)"
    )
    database.commit()
    database.close()


async def test_a_camera_of_before_has_one_stay(tmp_path: Path) -> None:
    """Since it was enrolled, where it stands now."""
    path = tmp_path / "a.db"
    await asyncio.to_thread(write_camera, path)
    async with open_database(sqlite_url(path)) as database, database.read() as connection:
        stays = await StayRows(connection).of("c")
    assert stays == [
        StayRow(
            id="c",
            camera_id=CameraId("c"),
            from_ns=1234,
            to_ns=None,
            street="Mill Lane",
            latitude_deg=51.5,
            longitude_deg=-0.1,
            height_m=None,
            bearing_deg=90.0,
        )
    ]
