"""Links between the daemons and the servers that can be cut, held up, and broken on one side only."""

import asyncio
import contextlib
import socket
import struct
import threading


class Proxies:
    """The thread all links live on."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        threading.Thread(target=self.loop.run_forever, name="proxies", daemon=True).start()

    def link(self, port):
        """A link to this port of the loopback, on a port of its own."""
        return self.call(Link.open(self, port))

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(30)


class Connection:
    def __init__(self, client, server):
        self.client, self.server = client, server
        self.is_deaf = self.is_mute = False  # nothing reaches the server; nothing comes back


class Link:
    """Accepts connections and hands every byte on, unless told otherwise."""

    @classmethod
    async def open(cls, proxies, upstream):
        link = cls()
        link.proxies, link.upstream, link.connections = proxies, upstream, set()
        link.flows = asyncio.Event()
        link.flows.set()
        link.listener = await asyncio.start_server(link.accept, "127.0.0.1", 0)
        link.port = link.listener.sockets[0].getsockname()[1]
        return link

    async def accept(self, from_client, to_client):
        try:
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self.upstream)
        except OSError:
            return reset(to_client)
        connection = Connection(to_client, to_server)
        self.connections.add(connection)
        try:
            await asyncio.gather(
                self.pump(connection, from_client, to_server, True),
                self.pump(connection, from_server, to_client, False),
            )
        finally:
            self.connections.discard(connection)

    async def pump(self, connection, source, target, to_server):
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while data := await source.read(1 << 16):
                await self.flows.wait()
                if not (connection.is_deaf if to_server else connection.is_mute):
                    target.write(data)
                    await target.drain()
        # Whoever was left behind of a half-open connection learns nothing of the other side's end.
        if to_server or not connection.is_deaf:
            reset(connection.client)
            reset(connection.server)

    # What the harness does to it, from any thread.

    def cut(self):
        """Ends every connection at once, as a router that forgets them would."""
        return self.proxies.call(self._each(lambda one: (reset(one.client), reset(one.server))))

    def stall(self):
        """Holds every byte back, on new connections too; nothing is lost."""
        self.proxies.loop.call_soon_threadsafe(self.flows.clear)

    def resume(self):
        self.proxies.loop.call_soon_threadsafe(self.flows.set)

    def half_open(self):
        """The server's side ends; the daemon's side stays open, takes everything and never answers."""

        def leave(one):
            one.is_deaf = one.is_mute = True
            reset(one.server)

        return self.proxies.call(self._each(leave))

    def mute(self):
        """What is asked still arrives, what is answered does not: whoever asked cannot know whether it was done."""

        def silence(one):
            one.is_mute = True

        return self.proxies.call(self._each(silence))

    async def _each(self, action):
        connections = list(self.connections)
        for one in connections:
            action(one)
        return len(connections)


def reset(writer):
    """Closes with a reset, so that nothing lingers."""
    handle = writer.get_extra_info("socket")
    with contextlib.suppress(OSError, AttributeError, ValueError):
        handle.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
