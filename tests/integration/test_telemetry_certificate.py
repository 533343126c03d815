"""The certificate of the units' broker: renewed while we run, shown from then on, and looked at where it is shown."""

import asyncio
import ssl
from pathlib import Path

from gateway.mqtt import BrokerAddress
from gateway.telemetry.broker import open_broker
from gateway.telemetry.service import door_to, open_telemetry
from gateway.telemetry.shown import watch_shown
from gateway.units.authority import RENEW_DAYS, UNIT_DAYS, ends
from gateway.units.credentials import Pair
from kernel.clock import SystemClock
from tests.fakes.leaping import LeapingClock
from tests.fakes.ports import free_port
from tests.fakes.unit_broker import shown_by, unit_broker, unit_tls
from tests.fakes.unit_field import Field
from tests.fakes.unit_voice import unit_room
from tests.fakes.waiting import told, until


async def test_mosquitto_shows_the_renewed_certificate_once_it_reloads(tmp_path: Path) -> None:
    """Written anew while we run; until somebody has it reload it shows the old one, and that is what is seen."""
    clock = LeapingClock()
    async with unit_room(tmp_path, clock) as units, unit_broker(tmp_path / "broker", units) as broker:
        renewed = asyncio.Event()

        async def renew(_: Pair) -> None:
            renewed.set()

        units.credentials.when_renewed(renew)
        await units.register.enrol("D017")
        issued = await units.credentials.issue("D017")
        tls = await asyncio.to_thread(unit_tls, tmp_path / "unit", units, issued)
        door = door_to(units, BrokerAddress("127.0.0.1", broker.port, tls=True))
        async with watch_shown(door, units.credentials, clock=clock):
            await until(lambda: units.credentials.broker_ends_ns is not None, what="the certificate to be looked at")
        seen_ns, first = units.credentials.broker_ends_ns, await shown_by(broker.port, tls)
        clock.leap((UNIT_DAYS - RENEW_DAYS + 1) * 86_400)
        async with asyncio.timeout(40):
            await renewed.wait()
        assert await shown_by(broker.port, tls) == first
        assert seen_ns is not None
        broker.reload()
        shown = await told(lambda: shown_by(broker.port, tls), lambda one: one != first, what="the new certificate")
        assert ends(ssl.DER_cert_to_PEM_cert(shown)) > seen_ns


async def test_a_broker_that_runs_for_a_year_shows_its_new_certificate(tmp_path: Path) -> None:
    """From the next handshake on; a connection that stands goes on."""
    clock, port = LeapingClock(), free_port()
    async with unit_room(tmp_path, clock) as units:
        pair = await units.credentials.broker(["127.0.0.1"])
        async with (
            open_broker(units, pair, host="127.0.0.1", port=port),
            open_telemetry(
                units, door_to(units, BrokerAddress("127.0.0.1", port, tls=True), modern=False), clock=clock
            ) as telemetry,
        ):
            async with asyncio.timeout(40):
                await telemetry.client.up()
            field = Field(units, port, telemetry, tmp_path)
            await field.enrol("D017")
            tls = await asyncio.to_thread(field.tls, "D017")
            first = await shown_by(port, tls)
            clock.leap((UNIT_DAYS - RENEW_DAYS + 1) * 86_400)
            shown = await told(lambda: shown_by(port, tls), lambda one: one != first, what="the new certificate")
            file = await asyncio.to_thread(pair.certificate.read_text)
            assert ssl.DER_cert_to_PEM_cert(shown) == file.partition("\n\n")[0] + "\n"
            assert telemetry.client.connected


async def test_the_embedded_broker_says_until_when_its_certificate_is_good(tmp_path: Path) -> None:
    """It knows what it shows; nobody has to ask."""
    async with unit_room(tmp_path, SystemClock()) as units:
        pair = await units.credentials.broker(["127.0.0.1"])
        assert units.credentials.broker_ends_ns is None
        async with open_broker(units, pair, host="127.0.0.1", port=free_port()):
            assert units.credentials.broker_ends_ns == ends(await asyncio.to_thread(pair.certificate.read_text))
