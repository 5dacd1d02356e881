"""Executes a program as on a kernel whose Landlock has no scopes (before ABI 6): `landlock_create_ruleset` takes no attributes for them."""

import ctypes
import os
import struct
import sys

CREATE_RULESET, E2BIG = 444, 7  # The number is the same on x86-64 and arm64.
NUMBER, SIZE = 0, 16 + 8  # Offsets in struct seccomp_data: the call's number, and the low half of its second argument.
LOAD, JUMP_EQUAL, JUMP_ABOVE, RETURN = 0x20, 0x15, 0x25, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2

program = b"".join(
    struct.pack("=HBBI", *instruction)
    for instruction in [
        (LOAD, 0, 0, NUMBER),
        (JUMP_EQUAL, 0, 3, CREATE_RULESET),
        (LOAD, 0, 0, SIZE),
        (JUMP_ABOVE, 0, 1, 16),
        (RETURN, 0, 0, ERRNO | E2BIG),
        (RETURN, 0, 0, ALLOW),
    ]
)


class Filter(ctypes.Structure):
    _fields_ = [("count", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


prctl = ctypes.CDLL(None, use_errno=True).prctl
prctl.argtypes = [ctypes.c_int, ctypes.c_ulong, ctypes.c_void_p, ctypes.c_ulong, ctypes.c_ulong]
filter = Filter(len(program) // 8, program)
for option, value, address in ((PR_SET_NO_NEW_PRIVS, 1, None), (PR_SET_SECCOMP, MODE_FILTER, ctypes.addressof(filter))):
    if prctl(option, value, address, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
os.execvp(sys.argv[1], sys.argv[1:])
