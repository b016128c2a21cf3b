#!/usr/bin/python3
"""Runs nexus-jail below a filter that has a listener already, as some container managers do.

usage: under_listener.py NEXUS_JAIL [ARGUMENT...]
"""
import ctypes
import os
import struct
import sys

SECCOMP_SET_MODE_FILTER, NEW_LISTENER, RET_ALLOW = 1, 8, 0x7FFF0000
SYS_SECCOMP = {"x86_64": 317, "aarch64": 277}[os.uname().machine]

libc = ctypes.CDLL(None, use_errno=True)
if libc.prctl(38, 1, 0, 0, 0) != 0:  # PR_SET_NO_NEW_PRIVS
    sys.exit("prctl")
instruction = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, RET_ALLOW))
program = ctypes.create_string_buffer(struct.pack("HxxxxxxP", 1, ctypes.addressof(instruction)))
listener = libc.syscall(SYS_SECCOMP, SECCOMP_SET_MODE_FILTER, NEW_LISTENER, program)
if listener < 0:
    sys.exit(os.strerror(ctypes.get_errno()))
# Kept open, and out of the way of what nexus-jail puts at 0 to 9: a closed listener would not be in the way.
os.dup2(listener, 100)
os.execve(sys.argv[1], sys.argv[1:], {})
