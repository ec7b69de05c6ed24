"""The hub: the server's side of the conversation as one synchronous step machine.

``step(event) -> list[Effect]``. It signs links in, greets them, collects operations into batches and hands
what was decided to the fan-out. It holds no socket, thread or lock, and decides nothing about orders:
batches go to the store as jobs and come back as results.

Effects come in the order of links and events only; one step is one entry of a replayable trace.
"""

from __future__ import annotations

from typing import Final

from server.kernel.batches import PACE, Batches
from server.kernel.connections import (
    BEATS_PER_HASH,
    EXPIRY_GRACE_MS,
    LINKS_PER_DEVICE,
    LOOK_MS,
    SLOW_MS,
    STRANGERS,
    UNSENT_BYTES,
    Connection,
    LookNow,
    Phase,
    SignInsEnded,
    Stop,
)
from server.kernel.fanout import FLUSH, Fanout
from server.kernel.questions import Questions
from server.kernel.records import Head, Joined, Look, Principal
from server.kernel.refusals import Refusal
from server.kernel.wishes import Wishes
from sync.contract import messages
from sync.contract.checks import is_usable_hello
from sync.contract.codec import CodecError, FrameTooLongError, decode_client
from sync.contract.limits import AUTH_DEADLINE_MS, HEARTBEAT_MS, SILENCE_MS
from sync.contract.permissions import Right, is_allowed
from sync.contract.ports import Clock
from sync.contract.steps import (
    Closed,
    Connected,
    Drained,
    Effect,
    Event,
    JobDone,
    Received,
    TimerFired,
)

_BEAT: Final = "beat"
_LOOK: Final = "look"
_AUTH: Final = "auth:"


class Hub:
    """The machine. Knows its links, the boards that they look at, and the jobs under way."""

    def __init__(
        self,
        clock: Clock,
        version: str,
        protocols: tuple[int, int] = (messages.PROTOCOL_MIN, messages.PROTOCOL_MAX),
    ) -> None:
        """Tell the time by ``clock``, call the server ``version``, speak ``protocols`` (oldest, newest)."""
        self._clock = clock
        self._version = version
        self._protocols = protocols
        self._links: dict[int, Connection] = {}
        self._strangers: dict[int, Connection] = {}
        self._wishes = Wishes(clock)
        self._fanout = Fanout(self._wishes, self._links, clock)
        self._batches = Batches(self._wishes, self._fanout, self._links, clock)
        self._questions = Questions(self._wishes, self._fanout)
        self._is_awake = False
        self._is_looking = False
        self._is_look_wanted = False

    @property
    def links(self) -> int:
        """How many links are open."""
        return len(self._links)

    def step(self, event: Event) -> list[Effect]:
        """Take one event and return what has to be done now, in this order."""
        match event:
            case Received():
                self._on_received(event)
            case Drained():
                self._on_drained(event.link)
            case JobDone():
                self._wishes.answer(event)
            case TimerFired():
                self._on_timer(event.name)
            case Connected():
                self._on_connected(event.link)
            case Closed():
                self._on_closed(event.link)
            case _:
                self._on_command(event.request)
        return self._wishes.taken()

    # ------------------------------------------------------------ links

    def _on_connected(self, link: int) -> None:
        connection = Connection(link, heard_ms=self._clock.mono_ms())
        self._links[link] = self._strangers[link] = connection
        self._wishes.set_timer(f"{_AUTH}{link}", AUTH_DEADLINE_MS)
        if len(self._strangers) > STRANGERS:
            oldest = next(iter(self._strangers))
            self._wishes.refuse(self._strangers.pop(oldest), Refusal.TOO_MANY_LINKS)

    def _on_closed(self, link: int) -> None:
        self._strangers.pop(link, None)
        connection = self._links.pop(link, None)
        if connection is not None:
            # Jobs under way still hold it: nothing is sent to it any more.
            connection.phase = Phase.CLOSED
            self._wishes.cancel_timer(f"{_AUTH}{link}")
            self._batches.drop(connection)

    def _on_drained(self, link: int) -> None:
        connection = self._links.get(link)
        if connection is not None:
            connection.sending_since_ms = None
            connection.unsent_bytes = 0
            if connection.is_beat_due:
                self._beat_on(connection)
            self._fanout.pump(connection)

    def _on_received(self, event: Received) -> None:
        connection = self._links.get(event.link)
        if connection is None or connection.phase is Phase.CLOSED:
            return
        connection.heard_ms = self._clock.mono_ms()
        if connection.unsent_bytes > UNSENT_BYTES:
            # It asks and asks, and does not read the answers.
            self._wishes.refuse(connection, Refusal.TOO_SLOW)
            return
        try:
            message = decode_client(event.frame)
        except FrameTooLongError:
            self._wishes.refuse(connection, Refusal.FRAME_TOO_LONG)
        except CodecError:
            self._wishes.refuse(connection, Refusal.PROTOCOL_ERROR)
        else:
            self._on_message(connection, message)

    def _on_message(self, connection: Connection, message: messages.ClientMessage) -> None:
        match message:
            case messages.Auth() if not connection.is_checking:
                self._on_auth(connection, message)
            case messages.Hello() if connection.hello is None and connection.phase is not Phase.NEW:
                self._on_hello(connection, message)
            case messages.Submit() if connection.phase in {Phase.LOADING, Phase.LIVE}:
                self._batches.take(connection, message)
            case messages.Compare() | messages.Fetch() | messages.Reload():
                self._questions.take(connection, message)
            case messages.Ping() if connection.phase is not Phase.NEW:
                pong = messages.Pong(message.n, message.mono_ms, self._clock.wall_ms())
                self._wishes.say(connection, pong)
            case _:
                self._wishes.refuse(connection, Refusal.PROTOCOL_ERROR)

    # ------------------------------------------------------------ who is there

    def _on_auth(self, connection: Connection, auth: messages.Auth) -> None:
        connection.is_checking = True
        if connection.phase is Phase.NEW:
            connection.phase = Phase.CHECKING
        self._wishes.job(
            "reader",
            "authenticate",
            (auth.token,),
            lambda result, error: self._on_authenticated(connection, result, error),
        )

    def _on_authenticated(self, connection: Connection, result: object, error: str) -> None:
        connection.is_checking = False
        if error:
            self._wishes.refuse(connection, Refusal.SERVER_FAULT)
        elif not isinstance(result, Principal):
            self._wishes.refuse(connection, Refusal.SIGN_IN_NEEDED)
        elif not is_allowed(result.role, Right.READ_BOARD):
            self._wishes.refuse(connection, Refusal.FORBIDDEN)
        elif not _is_same_terminal(connection.principal, result):
            self._wishes.refuse(connection, Refusal.PROTOCOL_ERROR)
        else:
            connection.principal = result
            self._strangers.pop(connection.link, None)
            if connection.phase is Phase.CHECKING:
                connection.phase = Phase.KNOWN
                self._join(connection)

    def _on_hello(self, connection: Connection, hello: messages.Hello) -> None:
        oldest, newest = self._protocols
        if hello.protocol_max < oldest:
            self._wishes.refuse(connection, Refusal.PROTOCOL_TOO_OLD)
        elif hello.protocol_min > newest:
            self._wishes.refuse(connection, Refusal.PROTOCOL_TOO_NEW)
        elif not is_usable_hello(hello):
            self._wishes.refuse(connection, Refusal.PROTOCOL_ERROR)
        else:
            connection.hello = hello
            self._join(connection)

    def _join(self, connection: Connection) -> None:
        """Ask the store where the client stands, once token and hello are both there."""
        principal, hello = connection.principal, connection.hello
        if principal is None or hello is None:
            return
        connection.phase = Phase.JOINING
        self._wishes.cancel_timer(f"{_AUTH}{connection.link}")
        self._shed(principal, hello.device_id)
        self._wishes.job(
            "store",
            "join",
            (principal, hello),
            lambda result, error: self._on_joined(connection, principal, hello, result, error),
        )

    def _shed(self, principal: Principal, device_id: str) -> None:
        """Close the oldest links of a device that has too many: half-open ones, most likely.

        Only those of the same enrolment: nobody has looked yet whether the device is whose it says.
        """
        same = [
            other
            for other in self._links.values()
            if other.device_id == device_id
            and other.phase is not Phase.CLOSED
            and other.principal is not None
            and other.principal.enrolment_id == principal.enrolment_id
        ]
        for other in same[:-LINKS_PER_DEVICE]:
            self._wishes.refuse(other, Refusal.TOO_MANY_LINKS)

    def _on_joined(
        self,
        connection: Connection,
        principal: Principal,
        hello: messages.Hello,
        result: object,
        error: str,
    ) -> None:
        if error or not isinstance(result, Joined):
            self._wishes.refuse(connection, Refusal.SERVER_FAULT)
            return
        if result.is_cloned:
            self._wishes.warn("device_cloned", device_id=hello.device_id)
            self._wishes.refuse(connection, Refusal.DEVICE_CLONED)
            return
        if result.skipped:
            self._wishes.warn("operations_missing", device_id=hello.device_id, count=result.skipped)
        if hello.cursor > result.head and (result.is_new_epoch or hello.epoch == result.epoch):
            words = {"device_id": hello.device_id, "cursor": hello.cursor}
            self._wishes.warn("cursor_beyond_log", **words, is_new_epoch=result.is_new_epoch)
        if result.is_damaged:
            self._wishes.warn("state_hash_differs", device_id=hello.device_id, cursor=hello.cursor)
        head = Head(result.head, result.epoch, result.durable_seq, result.head_hash)
        board = self._fanout.meet(principal.site.key, head)
        if connection.phase is not Phase.CLOSED:
            self._wishes.say(connection, self._welcome(principal, hello, result))
            self._wake()
            if result.needs_snapshot:
                self._fanout.load(connection, board)
            else:
                self._fanout.follow(connection, hello.cursor)

    def _welcome(self, principal: Principal, hello: messages.Hello, joined: Joined) -> messages.Welcome:
        return messages.Welcome(
            min(hello.protocol_max, self._protocols[1]),
            self._version,
            joined.epoch,
            joined.head,
            principal.site.as_site(),
            principal.person,
            joined.decided_device_seq,
            joined.durable_seq,
            self._clock.wall_ms(),
            joined.state_hash,
        )

    # ------------------------------------------------------------ time

    def _wake(self) -> None:
        """Begin to beat and to look, when nobody was there before."""
        if not self._is_awake:
            self._is_awake = True
            self._wishes.set_timer(_BEAT, HEARTBEAT_MS)
            self._wishes.set_timer(_LOOK, LOOK_MS)

    def _on_timer(self, name: str) -> None:
        if name == _BEAT:
            self._beat()
        elif name == _LOOK:
            self._look()
        elif name.startswith(FLUSH):
            self._fanout.flush(name.removeprefix(FLUSH))
        elif name.startswith(PACE):
            self._batches.resume(int(name.removeprefix(PACE)))
        else:
            connection = self._links.get(int(name.removeprefix(_AUTH)))
            if connection is not None:
                self._wishes.refuse(connection, Refusal.SIGN_IN_NEEDED)

    def _beat(self) -> None:
        for connection in list(self._links.values()):
            refusal = self._overdue(connection)
            if refusal is not None:
                self._wishes.refuse(connection, refusal)
            elif connection.sending_since_ms is None:
                self._beat_on(connection)
            else:
                # Nothing piles up behind a delta that does not leave.
                connection.is_beat_due = True
        self._batches.beat()
        self._is_awake = bool(self._links)
        if self._is_awake:
            self._wishes.set_timer(_BEAT, HEARTBEAT_MS)
        else:
            self._wishes.cancel_timer(_LOOK)

    def _beat_on(self, connection: Connection) -> None:
        """Say where the log stands; every 60th time or soon after with the hash of what the link has."""
        connection.is_beat_due = False
        board = self._fanout.board_of(connection)
        if board is None or connection.phase not in {Phase.LOADING, Phase.LIVE}:
            return
        connection.beats += 1
        connection.beats_unhashed += 1
        state_hash = None
        is_up_to_date = connection.phase is Phase.LIVE and connection.cursor == board.head
        if connection.beats_unhashed >= BEATS_PER_HASH and is_up_to_date and board.state_hash is not None:
            state_hash, connection.beats_unhashed = board.state_hash, 0
        self._wishes.say(
            connection,
            messages.Heartbeat(
                board.head, board.durable_seq, self._clock.wall_ms(), connection.beats, state_hash
            ),
        )

    def _overdue(self, connection: Connection) -> Refusal | None:
        now_ms = self._clock.mono_ms()
        principal, since_ms = connection.principal, connection.sending_since_ms
        if since_ms is not None and now_ms - since_ms > SLOW_MS:
            return Refusal.TOO_SLOW
        if now_ms - connection.heard_ms > SILENCE_MS:
            return Refusal.SILENT
        if principal is not None and self._clock.wall_ms() > principal.expires_ms + EXPIRY_GRACE_MS:
            return Refusal.TOKEN_EXPIRED
        return None

    def _look(self) -> None:
        """Ask what other processes did; they write to the same file without telling us."""
        self._wishes.set_timer(_LOOK, LOOK_MS)
        if self._is_looking:
            return
        self._is_looking = True
        sites = tuple(board.site.site_id for board in self._fanout.boards())
        signed_in = dict.fromkeys(
            connection.principal.person.sign_in_id
            for connection in self._links.values()
            if connection.principal is not None
        )
        # Through the store, not the reader: results of commits and looks must come in their order.
        self._wishes.job("store", "look", (sites, tuple(signed_in)), self._on_looked)

    def _on_looked(self, result: object, error: str) -> None:
        self._is_looking = False
        if self._is_look_wanted and self._is_awake:
            self._is_look_wanted = False
            self._look()
        if error or not isinstance(result, Look):
            self._wishes.warn("look_failed", error=error)
            return
        for board in self._fanout.boards():
            if board.site.site_id in result.heads:
                self._fanout.meet(board.site, result.heads[board.site.site_id])
        self._end_sign_ins(result.ended_sign_ins)

    def _end_sign_ins(self, sign_in_ids: tuple[str, ...]) -> None:
        for connection in self._links.values():
            principal = connection.principal
            if principal is not None and principal.person.sign_in_id in sign_in_ids:
                self._wishes.refuse(connection, Refusal.SIGNED_OUT)

    def _on_command(self, request: object) -> None:
        match request:
            case SignInsEnded():
                self._end_sign_ins(request.sign_in_ids)
            case Stop():
                for connection in self._links.values():
                    self._wishes.refuse(connection, Refusal.SERVER_STOPPING)
            case LookNow() if self._is_awake:
                # A look that is under way may have read the heads before what this one is asked for.
                self._is_look_wanted = self._is_looking
                self._look()
            case _:
                pass


def _is_same_terminal(before: Principal | None, now: Principal) -> bool:
    """Say whether a renewed sign-in is of the same device on the same site."""
    return before is None or (before.site.key, before.enrolment_id) == (now.site.key, now.enrolment_id)
