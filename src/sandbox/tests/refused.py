# Each dangerous call, by number, with arguments that a careless filter could let pass. NUMBERS: name to number.
import ctypes, errno, os, socket

libc = ctypes.CDLL(None, use_errno=True)
ENOSYS = {"clone3", "openat2", "io_uring_setup", "io_uring_enter", "io_uring_register", "pidfd_open", "sendfile"}


def call(number, *arguments):
    ctypes.set_errno(0)
    padded = (list(arguments) + [0] * 6)[:6]
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(value) for value in padded))
    return ctypes.get_errno() if result == -1 else 0


for name, number in NUMBERS.items():
    expected = errno.ENOSYS if name in ENOSYS else errno.ENOTSUP if name == "setxattr" else errno.EPERM
    # setuid(0) and the like would succeed as they are; only the filter can refuse them.
    for arguments in ((0, 0, 0, 0, 0, 0), (os.getuid(), os.getuid(), os.getuid()), (-1, -1, -1)):
        got = call(number, *arguments)
        assert got == expected, (name, arguments, errno.errorcode.get(got, got))

for family, kind, protocol in (
    (socket.AF_INET, socket.SOCK_STREAM, 0), (socket.AF_INET, socket.SOCK_STREAM, 262), (socket.AF_INET6, socket.SOCK_DGRAM, 0),
    (socket.AF_UNIX, socket.SOCK_STREAM, 0), (16, 3, 0), (17, 3, 0), (38, 5, 0), (40, 1, 0),
):
    try:
        socket.socket(family, kind, protocol)
    except PermissionError:
        pass
    else:
        raise AssertionError((family, kind, protocol))
try:
    socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
except PermissionError:
    pass
else:
    raise AssertionError("a datagram pair")
