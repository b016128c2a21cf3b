// The C edge of Sandbox: what Swift cannot import (variadic calls, function-like macros, libseccomp's varargs).
// Nothing here decides anything.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "CHost.h"
#include "CMachine.h"
#include "CNotify.h"
#include "plan_format.h"

// "ENOENT" and "No such file or directory"; safe on any thread.
const char *cjail_errno_name(int number);
const char *cjail_errno_text(int number);

// The number of a system call on this machine, or a negative value when libseccomp does not know it here.
int cjail_syscall_number(const char *name);
// Writes the name that a number has on this machine; its length, or 0 where there is none.
int cjail_syscall_name(int32_t number, char *out, size_t size);

// memfd_create(2) with MFD_CLOEXEC, MFD_ALLOW_SEALING and, for programs, MFD_EXEC where the kernel knows it.
int cjail_memfd(const char *name, int executable);
// Adds every seal: F_SEAL_SEAL, SHRINK, GROW, WRITE. 0, or a negative errno.
int cjail_seal(int fd);

// posix_spawn(3) of nexus-jail: /dev/null on 0 to 2, `control` on 3, nothing else open, no environment, default
// signals, a session of its own (Ctrl-C at a terminal is for the host, which then ends its jails in order). Returns
// an errno.
int cjail_spawn_launcher(int32_t *pid, const char *path, char *const *arguments, int control);

// sendmsg(2) of one message with descriptors. 0, or a negative errno.
int cjail_send(int socket, const void *bytes, size_t length, const int *descriptors, size_t count);

// Makes sends on a socket give up (-EAGAIN) when the other side does not read for so long.
int cjail_limit_sending(int socket, int seconds);

// A set of descriptors to read from (epoll(7)), each with a token. All return 0 or more, or a negative errno.
int cjail_watch_create(void);
int cjail_watch_add(int watch, int descriptor, uint64_t token);
int cjail_watch_remove(int watch, int descriptor);
// Waits and writes the tokens of readable or closed descriptors; returns how many.
int cjail_watch_wait(int watch, uint64_t *tokens, size_t count, int milliseconds);

// The kernel's numbers, which Swift does not get from an enum and macros at once.
enum cjail_limit {
  CJAIL_LIMIT_CORE = RLIMIT_CORE,
  CJAIL_LIMIT_FILES = RLIMIT_NOFILE,
  CJAIL_LIMIT_FILE_BYTES = RLIMIT_FSIZE,
  CJAIL_LIMIT_ADDRESS_SPACE = RLIMIT_AS,
  CJAIL_LIMIT_LOCKED = RLIMIT_MEMLOCK,
  CJAIL_LIMIT_QUEUES = RLIMIT_MSGQUEUE,
  CJAIL_LIMIT_REALTIME = RLIMIT_RTPRIO,
  CJAIL_LIMIT_NICE = RLIMIT_NICE,
  CJAIL_LIMIT_STACK = RLIMIT_STACK,
  CJAIL_LIMIT_SIGNALS = RLIMIT_SIGPENDING,
  CJAIL_LIMIT_PROCESSES = RLIMIT_NPROC,
};

// Probes: each returns a number >= 0, or a negative errno.
int cjail_landlock_abi(void);
// 1 when a ruleset can handle exactly these rights.
int cjail_landlock_accepts(uint64_t files, uint64_t network, uint64_t scopes);
int cjail_seccomp_available(void);
int cjail_user_namespace_works(void);
int cjail_mount_setattr_exists(void);
