"""A host that will be killed with SIGKILL: starts nexus-jail, sends one plan, says who runs, and waits. It takes the
listener of the jail's filter and answers nothing, so that whoever makes a refused call waits for ever.

usage: doomed_host.py NEXUS_JAIL PLAN_FILE
"""
import fcntl
import os
import socket
import struct
import subprocess
import sys
import time

REQUEST, READY, LAUNCHED = 0x514A584E, 6, 2
F_ADD_SEALS, EVERY_SEAL = 1033, 15

ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
keeper = subprocess.Popen(
    [sys.argv[1], "--mount-root", "/usr"], preexec_fn=lambda: os.dup2(theirs.fileno(), 3), close_fds=False, env={}
)
# The keeper hands over a socket to the launcher, which greets there and says its process id.
_, [descriptor], _, _ = socket.recv_fds(ours, 256, 1)
control = socket.socket(fileno=descriptor)
launcher_id = struct.unpack_from("8xI", control.recv(256))[0]
plan = os.memfd_create("plan", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
os.write(plan, open(sys.argv[2], "rb").read())
fcntl.fcntl(plan, F_ADD_SEALS, EVERY_SEAL)
report, jail_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
socket.send_fds(control, [struct.pack("IIII", REQUEST, 4, 0, 0)], [plan, jail_end.fileno()])
jail_end.close()
init, held = 0, []
while True:
    record, descriptors, _, _ = socket.recv_fds(report, 256, 4)
    held += descriptors
    kind, value = struct.unpack_from("4xI8xi", record) if record else (0, 0)
    if kind == LAUNCHED:
        init = value
    if kind == READY or not record:
        break
print(f"{launcher_id} {init}", flush=True)
time.sleep(60)
