"""Opens the door, and closes it so that no delivery is cut off."""

import asyncio
from dataclasses import dataclass

from services.chassis.logs import logger
from services.chassis.server import ListenError
from services.ingress import metrics
from services.ingress.app import Readiness
from services.ingress.batching import Batcher
from services.ingress.bodies import BodyReader
from services.ingress.click_buffer import ClickBuffer
from services.ingress.connections import Listener
from services.ingress.keeping import Keeping
from services.ingress.link_learning import LinkLearning
from services.ingress.links import Links
from services.ingress.rejections import Rejections
from services.ingress.settings import ListenerSettings
from services.ingress.signing_secrets import SigningSecrets
from services.ingress.snippets import Snippets

_log = logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class Ingress:
    """The door: both listeners, and what works behind them."""

    settings: ListenerSettings
    readiness: Readiness
    public: Listener
    private: Listener
    bodies: BodyReader
    secrets: SigningSecrets
    batcher: Batcher
    rejections: Rejections
    links: Links
    learning: LinkLearning
    keeping: Keeping
    clicks: ClickBuffer
    snippets: Snippets

    async def run(self, stop_asked: asyncio.Event) -> None:
        """Take deliveries in until asked to stop, then end in order.

        Raises:
            ListenError: an address cannot be listened on.
        """
        await self.start()
        try:
            await stop_asked.wait()
        finally:
            await self.stop()

    async def start(self) -> None:
        """Listen on both addresses, and be ready.

        Raises:
            ListenError: an address cannot be listened on.
        """
        # Asked at a scrape rather than told at every delivery.
        metrics.QUEUE_EVENTS.set_function(self.batcher.waiting)
        metrics.BODY_BYTES.set_function(self.bodies.held_bytes)
        metrics.SECRETS_STALE.set_function(self.secrets.stale)
        metrics.SECRETS_OLDEST_SECONDS.set_function(self.secrets.oldest_age)
        metrics.CLICKS_WAITING.set_function(self.clicks.waiting)
        metrics.CLICKS_WAITING_BYTES.set_function(self.clicks.held_bytes)
        self.keeping.begin()
        self.clicks.begin()
        self.learning.begin()
        await _listen(self.private, "SYNAPTYX_PRIVATE_ADDRESS", self.settings.private_address)
        try:
            await _listen(self.public, "SYNAPTYX_PUBLIC_ADDRESS", self.settings.public_address)
        except ListenError:
            await self.private.close(within=self.settings.drain)
            raise
        self.readiness.ready = True
        _log.info("ingress_started", port=self.public.port, private_port=self.private.port)

    async def stop(self) -> None:
        """Be not ready, take what still comes for a while, finish what is in hand, and close."""
        self.readiness.ready = False
        self.public.drain()
        _log.info("ingress_draining", seconds=self.settings.drain.total_seconds())
        await asyncio.sleep(self.settings.shutdown_delay.total_seconds())
        await self.public.close(within=self.settings.drain)
        await self.batcher.close()
        await self.rejections.close()
        await self.clicks.close(within=self.settings.drain)
        await self.learning.close()
        await self.keeping.close()
        await self.links.close()
        await self.snippets.close()
        await self.secrets.close()
        await self.private.close(within=self.settings.drain)
        _log.info("ingress_stopped")


async def _listen(listener: Listener, variable: str, address: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        await listener.start(host.strip("[]"), int(port))
    except OSError as error:
        raise ListenError(variable, address) from error
