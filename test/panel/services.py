"""Services with a panel, for journeys."""
import random

from appliance import PATIENCE
from panel import PASSWORD, set_up


def panel_url(service):
    host, port = service.address("panel")
    return f"http://{host}:{port}/"


def new_service(world, behaviour=None, config="", address="127.0.0.1:0", **options):
    receiver = world.receiver(behaviour)
    service = world.relay_to(receiver, f'panel {{ address = "{address}" }}\n{config}', **options)
    service.receiver, service.next_hop = receiver, receiver.address
    return service


def home_address():
    """The same after a restart, and nobody else's: a loopback address of its own."""
    return f"127.{random.randint(2, 250)}.{random.randint(1, 250)}.{random.randint(1, 250)}:8025"


def owned(service):
    """As after the wizard: .panel is the URL, .owner may sign in, .login may send."""
    service.api = set_up(service, patience=PATIENCE)
    service.panel, service.owner = panel_url(service), ["owner", PASSWORD]
    service.login = list(service.add_user("news@shop.example"))
    return service
