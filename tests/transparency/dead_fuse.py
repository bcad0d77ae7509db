"""dead_fuse.py DIRECTORY COMMAND…: runs a command where a FUSE server has stopped answering.

The server answers until the working directory is there, and is then stopped: every question to the filesystem waits for ever.
The working directory, HOME and TMPDIR of the command lie on it, and a tmpfs on its directory `local`. Needs root, and a mount
namespace of its own.
"""

import ctypes
import os
import signal
import struct
import sys

LOOKUP, GETATTR, INIT = 1, 3, 26
WITHOUT_ANSWER = (2, 36, 42)  # FORGET, INTERRUPT, BATCH_FORGET
ENOSYS = 38
DEADLINE = 40  # seconds until this process dies, with it the server, and with that what waits for it
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None, use_errno=True)
HEADER = 40  # bytes before what a request says


def directory(inode):
    return struct.pack("<6Q10I", inode, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)


def reply(request):
    """The answer to a request, as linux/fuse.h lays it out; nothing where none is due."""
    _, operation, unique, _ = struct.unpack_from("<IIQQ", request)
    name = request[HEADER:].split(b"\0")[0]
    if operation in WITHOUT_ANSWER:
        return None
    error, body = 0, b""
    if operation == INIT:
        body = struct.pack("<IIIIHHI", 7, 31, 65536, 0, 0, 0, 65536).ljust(64, b"\0")
    elif operation == GETATTR:
        body = struct.pack("<QII", 0, 0, 0) + directory(1)
    elif operation == LOOKUP and name == b"local":
        body = struct.pack("<4QII", 2, 0, 0, 0, 0, 0) + directory(2)
    else:
        error = -ENOSYS
    return struct.pack("<IiQ", 16 + len(body), error, unique) + body


def serve(device):
    while True:
        answer = reply(os.read(device, 1 << 17))
        if answer:
            os.write(device, answer)


def mount(kind, place, options):
    if LIBC.mount(b"lab", place.encode(), kind, 0, options.encode()) != 0:
        sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")


def main():
    place, command = sys.argv[1], sys.argv[2:]
    signal.alarm(DEADLINE)
    device = os.open("/dev/fuse", os.O_RDWR)
    mount(b"fuse", place, f"fd={device},rootmode=40000,user_id=0,group_id=0")
    server = os.fork()
    if server == 0:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        serve(device)
    os.close(device)
    os.chdir(place)
    mount(b"tmpfs", place + "/local", "size=64k")
    os.kill(server, signal.SIGSTOP)
    os.waitpid(server, os.WUNTRACED)
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": place, "TMPDIR": place + "/tmp"}
    child = os.posix_spawn(command[0], command, environment)
    status = os.waitpid(child, 0)[1]
    os.kill(server, signal.SIGKILL)
    sys.exit(os.waitstatus_to_exitcode(status) % 256)


main()
