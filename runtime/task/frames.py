"""Messages on a stream socket: a length, then the bytes; open files may ride along.

A stream has no message borders, so each message is framed with its length (four bytes, most
significant first). Descriptors sent with a message arrive with the first byte of its frame.
"""

from __future__ import annotations

import array
import contextlib
import os
import socket
import struct
from collections.abc import Sequence

#: A frame longer than this is junk, or an attack on our memory: the sender is given up.
FRAME_BYTES_MAX = 64 * 1024 * 1024
FDS_MAX = 8

_LENGTH = struct.Struct(">I")
_READ_BYTES = 65536


class ConnectionLost(Exception):
    """The other side is gone. Not a ``TradewindError``: callers turn it into what it means."""


class FrameTooLong(Exception):
    """A frame announces more bytes than ``FRAME_BYTES_MAX``."""


def send(connection: socket.socket, message: bytes, fds: Sequence[int] = ()) -> None:
    """Write one framed message, and descriptors with it. Blocks until the kernel has it all.

    Raises:
        ConnectionLost: the other side has closed.
        FrameTooLong: the message is longer than a receiver would accept.
    """
    if len(message) > FRAME_BYTES_MAX:
        raise FrameTooLong(f"a message of {len(message)} bytes; at most {FRAME_BYTES_MAX} are sent")
    data = _LENGTH.pack(len(message)) + message
    try:
        if fds:
            rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))
            sent = connection.sendmsg([data], [rights])
            if sent < len(data):
                connection.sendall(data[sent:])
        else:
            connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError, ConnectionAbortedError) as error:
        raise ConnectionLost("the other side has closed the connection") from error


def send_answer(connection: socket.socket, message: bytes, *, wait_s: float = 5.0) -> None:
    """Write one framed message to a non-blocking socket whose other end waits for it.

    One that is gone, or does not take it within *wait_s* seconds, gets none.
    """
    try:
        connection.settimeout(wait_s)
        send(connection, message)
    except (ConnectionLost, OSError):
        return
    finally:
        with contextlib.suppress(OSError):
            connection.settimeout(0.0)


def receive(connection: socket.socket) -> tuple[bytes, list[int]]:
    """Wait for one message on a blocking socket; return it with the descriptors it carried.

    Raises:
        ConnectionLost: end of stream, also in the middle of a frame.
        FrameTooLong: the announced length is not credible.
    """
    fds: list[int] = []
    header = b""
    while len(header) < _LENGTH.size:
        part, arrived = _receive_with_fds(connection, _LENGTH.size - len(header))
        fds.extend(arrived)
        if not part:
            raise ConnectionLost("end of stream")
        header += part
    (length,) = _LENGTH.unpack(header)
    if length > FRAME_BYTES_MAX:
        raise FrameTooLong(f"a frame of {length} bytes was announced")
    body = bytearray()
    while len(body) < length:
        try:
            piece = connection.recv(min(length - len(body), 1 << 20))
        except ConnectionResetError as error:
            raise ConnectionLost("connection reset") from error
        if not piece:
            raise ConnectionLost("end of stream inside a frame")
        body += piece
    return bytes(body), fds


def _receive_with_fds(connection: socket.socket, size: int) -> tuple[bytes, list[int]]:
    numbers = array.array("i")
    try:
        data, ancillary, _flags, _address = connection.recvmsg(
            size, socket.CMSG_LEN(FDS_MAX * numbers.itemsize)
        )
    except ConnectionResetError as error:
        raise ConnectionLost("connection reset") from error
    for level, kind, content in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            whole = len(content) - len(content) % numbers.itemsize
            numbers.frombytes(content[:whole])
    # Python makes received descriptors non-inheritable only on its own sockets, not here.
    for number in numbers:
        os.set_inheritable(number, False)
    return data, list(numbers)


class FrameReader:
    """Collects frames from a non-blocking socket. ``is_closed`` after end of stream."""

    def __init__(self, connection: socket.socket, *, takes_fds: bool = False) -> None:
        """Prepare.

        Args:
            takes_fds: descriptors that arrive with frames are kept in ``fds``, in their order;
                whoever takes them out closes them. Else the kernel drops them.
        """
        self._connection = connection
        self._buffer = bytearray()
        self._takes_fds = takes_fds
        self.fds: list[int] = []
        self.is_closed = False

    def read(self) -> list[bytes]:
        """Return the messages that have arrived in full; never blocks.

        Raises:
            FrameTooLong: what arrived is not a frame of ours.
        """
        while not self.is_closed:
            arrived: list[int] = []
            try:
                if self._takes_fds:
                    data, arrived = _receive_with_fds(self._connection, _READ_BYTES)
                    self.fds += arrived
                else:
                    data = self._connection.recv(_READ_BYTES)
            except BlockingIOError:
                break
            except (ConnectionLost, OSError):
                self.is_closed = True
                break
            if not data:
                self.is_closed = True
                break
            self._buffer += data
            if len(data) < _READ_BYTES and not arrived:  # descriptors cut a read short
                break
        return self._whole_frames()

    def _whole_frames(self) -> list[bytes]:
        messages: list[bytes] = []
        buffer = self._buffer
        start = 0
        while len(buffer) - start >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(buffer, start)
            if length > FRAME_BYTES_MAX:
                raise FrameTooLong(f"a frame of {length} bytes was announced")
            end = start + _LENGTH.size + length
            if len(buffer) < end:
                break
            messages.append(bytes(buffer[start + _LENGTH.size : end]))
            start = end
        del buffer[:start]
        return messages
