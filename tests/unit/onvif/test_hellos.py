"""What devices say by multicast when they come, heard on loopback."""

import socket

from drivers.model import DiscoveredDevice
from drivers.onvif.discovery import GROUP
from drivers.onvif.hellos import SIZE_MAX_BYTES, hear_hellos
from tests.fakes.ports import free_port
from tests.fakes.waiting import until

HELLO = """<e:Envelope xmlns:e="http://www.w3.org/2003/05/soap-envelope"
 xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">
<e:Body><d:{what}><a:EndpointReference><a:Address>{urn}</a:Address></a:EndpointReference>
<d:Scopes>onvif://www.onvif.org/name/Box</d:Scopes><d:XAddrs>http://127.0.0.9:8080/onvif/device_service</d:XAddrs>
</d:{what}></e:Body></e:Envelope>"""


async def test_a_hello_is_told_and_nothing_else() -> None:
    """With where it is; a Bye, nonsense and what is far too long are passed over."""
    said: list[DiscoveredDevice] = []
    port = free_port(socket.SOCK_DGRAM)
    async with hear_hellos(said.append, interfaces=["127.0.0.1"], port=port):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as voice:
            voice.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("127.0.0.1"))
            for text in (
                HELLO.format(what="Bye", urn="urn:uuid:1"),
                "<Hello",
                HELLO.format(what="Hello", urn="urn:uuid:4").replace("127.0.0.9:8080", "[::::]"),
                HELLO.format(what="Hello", urn="urn:uuid:2") + " " * SIZE_MAX_BYTES,
                HELLO.format(what="Hello", urn="urn:uuid:3"),
            ):
                voice.sendto(text.encode(), (GROUP, port))
        await until(lambda: said, what="the Hello")
    assert [(one.urn, one.addresses[-1]) for one in said] == [
        ("urn:uuid:3", "http://127.0.0.9:8080/onvif/device_service")
    ]
