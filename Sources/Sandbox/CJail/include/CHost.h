// What the host needs of the kernel and Swift's Glibc module leaves out: epoll(7), eventfd(2), xattr(7), pipe2(2),
// prctl(2).
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/xattr.h>
#include <unistd.h>

// pipe2(2) with O_CLOEXEC; 0, or the errno.
int cjail_pipe(int ends[2]);

// send(2) without waiting, and a descriptor with the first byte (unix(7), SCM_RIGHTS). How many bytes went, or -1.
ssize_t cjail_pass(int socket, const void *bytes, size_t count, int descriptor);

// For a process that holds secrets: not dumpable, no core file, no new privileges. 0, or the errno.
int cjail_protect_process(void);

// Gives up root for good: groups, gid and uid, then checks that uid 0 cannot come back. 0, or the errno.
int cjail_become(unsigned int uid, unsigned int gid);
