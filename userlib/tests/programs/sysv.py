# SPDX-License-Identifier: LGPL-2.1-or-later OR MIT
"""System V queues through Debian's python3-sysv-ipc.

With the argument "leave": makes one with a key and leaves a message in it.
"""

import errno
import sys

sys.path.append("/usr/lib/python3/dist-packages")
import sysv_ipc  # noqa: E402

KEY = 0x1BADCAFE


def check():
    queue = sysv_ipc.MessageQueue(KEY, sysv_ipc.IPC_CREX, 0o640)
    same = sysv_ipc.MessageQueue(KEY)
    assert same.id == queue.id
    try:
        sysv_ipc.MessageQueue(KEY, sysv_ipc.IPC_CREX)
        sys.exit("the key has two queues")
    except sysv_ipc.ExistentialError:
        pass
    for kind, text in ((3, b"three"), (1, b"one"), (2, b"two")):
        queue.send(text, type=kind)
    assert queue.current_messages == 3 and queue.mode == 0o640
    assert same.receive(type=2) == (b"two", 2)
    assert same.receive(type=-3) == (b"one", 1)
    assert same.receive() == (b"three", 3)
    try:
        queue.receive(block=False)
        sys.exit("a message too many")
    except sysv_ipc.BusyError:
        pass
    size = queue.max_size
    queue.max_size = 4096
    assert queue.max_size == 4096 < size
    queue.remove()
    try:
        same.send(b"x")
        sys.exit("it is there still")
    except OSError as error:
        assert error.errno == errno.EINVAL, error


if sys.argv[1:] == ["leave"]:
    sysv_ipc.MessageQueue(KEY, sysv_ipc.IPC_CREX).send(b"five", type=5)
else:
    check()
