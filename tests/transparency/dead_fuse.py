"""dead_fuse.py DIRECTORY COMMAND…: runs a command where a FUSE server has stopped answering.

The server answers until the working directory is there, and is then stopped: every question to the filesystem waits for ever.
The working directory, HOME and TMPDIR of the command lie on it. Needs root, and a mount namespace of its own.
"""

import ctypes
import os
import signal
import struct
import sys

GETATTR, INIT = 3, 26
WITHOUT_ANSWER = (2, 36, 42)  # FORGET, INTERRUPT, BATCH_FORGET
ENOSYS = 38
DEADLINE = 40  # seconds until the server dies, and with it what waits for it


def reply(request):
    """The answer to a request, as linux/fuse.h lays it out; nothing where none is due."""
    _, operation, unique, _ = struct.unpack_from("<IIQQ", request)
    if operation in WITHOUT_ANSWER:
        return None
    error, body = 0, b""
    if operation == INIT:
        body = struct.pack("<IIIIHHI", 7, 31, 65536, 0, 0, 0, 65536).ljust(64, b"\0")
    elif operation == GETATTR:
        attributes = struct.pack("<6Q10I", 1, 0, 0, 0, 0, 0, 0, 0, 0, 0o40755, 2, 0, 0, 0, 4096, 0)
        body = struct.pack("<QII", 0, 0, 0) + attributes
    else:
        error = -ENOSYS
    return struct.pack("<IiQ", 16 + len(body), error, unique) + body


def serve(device):
    signal.alarm(DEADLINE)
    while True:
        answer = reply(os.read(device, 1 << 17))
        if answer:
            os.write(device, answer)


def mount(directory, device):
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"dead", directory.encode(), b"fuse", 0, options) != 0:
        sys.exit(f"mount: {os.strerror(ctypes.get_errno())}")


def main():
    directory, command = sys.argv[1], sys.argv[2:]
    device = os.open("/dev/fuse", os.O_RDWR)
    mount(directory, device)
    server = os.fork()
    if server == 0:
        serve(device)
    os.close(device)
    os.chdir(directory)
    os.kill(server, signal.SIGSTOP)
    os.waitpid(server, os.WUNTRACED)
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "HOME": directory, "TMPDIR": directory + "/tmp"}
    child = os.posix_spawn(command[0], command, environment)
    status = os.waitpid(child, 0)[1]
    os.kill(server, signal.SIGKILL)
    sys.exit(os.waitstatus_to_exitcode(status) % 256)


main()
