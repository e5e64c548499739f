# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
"""POSIX queues through ctypes, as a program in a language that binds them itself.

With the argument "wait": makes /fed, waits for one message and prints it.
"""

import ctypes
import errno
import sys

O_RDWR, O_CREAT, O_EXCL = 2, 0o100, 0o200
libc = ctypes.CDLL(None, use_errno=True)


class Attributes(ctypes.Structure):
    _fields_ = [(name, ctypes.c_long) for name in ("flags", "maxmsg", "msgsize", "curmsgs")]
    _fields_ += [("reserved", ctypes.c_long * 4)]


def call(name, *arguments):
    result = getattr(libc, name)(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), name)
    return result


def open_queue(name, flags=O_RDWR | O_CREAT | O_EXCL):
    return call("mq_open", name, flags, 0o600, None)


def receive(queue):
    data = ctypes.create_string_buffer(8192)
    priority = ctypes.c_uint()
    length = call("mq_receive", queue, data, ctypes.c_size_t(8192), ctypes.byref(priority))
    return data.raw[:length], priority.value


def check():
    queue = open_queue(b"/python")
    try:
        open_queue(b"/python")
        sys.exit("/python was made twice")
    except OSError as error:
        assert error.errno == errno.EEXIST, error
    for text, priority in ((b"low", 1), (b"high", 9), (b"second", 1)):
        call("mq_send", queue, text, ctypes.c_size_t(len(text)), priority)
    attributes = Attributes()
    call("mq_getattr", queue, ctypes.byref(attributes))
    assert attributes.curmsgs == 3
    assert [receive(queue) for _ in range(3)] == [(b"high", 9), (b"low", 1), (b"second", 1)]
    call("mq_close", queue)
    call("mq_unlink", b"/python")


if sys.argv[1:] == ["wait"]:
    text, priority = receive(open_queue(b"/fed"))
    print(text.decode(), priority)
else:
    check()
