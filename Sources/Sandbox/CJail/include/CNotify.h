// The host's end of a filter's listener: seccomp_unotify(2), whose ioctl numbers Swift cannot import.
#pragma once
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// One call that waits for an answer: registers only. Nothing here points into memory that the caller could change.
struct cjail_call {
  uint64_t id;
  uint64_t arguments[6];
  uint32_t architecture;
  int32_t number;
  int32_t pid;  // as the host sees it; 0 if it is in no namespace of the host's
};

// 1 when the kernel has listeners and its records fit into ours, or a negative errno.
int cjail_listener_available(void);

// 1 when the descriptor is a filter's listener, else a negative errno.
int cjail_listener_check(int listener);

// Takes one waiting call. 1: taken; 0: none waits; -EPIPE: every process under the filter is gone. Never blocks: the
// kernel's own RECV does, even on a descriptor that is set not to, so it is asked for only what poll(2) has seen, and
// only by the one thread that reads this listener.
int cjail_listener_take(int listener, struct cjail_call *call);

// Answers with an errno (> 0): the call is not made. 0, or a negative errno; -ENOENT: the caller is gone.
int cjail_listener_refuse(int listener, uint64_t id, int32_t number);

// Lets the call be made as the caller asked for it. Only recordings and shown paths do this (`JailWeakening`), and only
// for calls that the filter would have let through by itself: whether a call is allowed is never decided here.
int cjail_listener_continue_allowed(int listener, uint64_t id);

// Reads the path that a waiting call points to, from the caller's memory, and where a relative one begins: the working
// directory for AT_FDCWD, else that descriptor's, as proc(5) shows it. The length, or a negative errno: -ENOENT where
// the caller is gone, -ENAMETOOLONG where no end is within `size`. For telling people only: the memory may have changed
// before the kernel reads it.
ssize_t cjail_listener_path(int listener, const struct cjail_call *call, int argument, char *out, size_t size);
ssize_t cjail_listener_directory(int listener, const struct cjail_call *call, int descriptor, char *out, size_t size);

// recvmsg(2) of one message that may bring one descriptor, close-on-exec; more are closed at once. The length, 0 at the
// end, or a negative errno; *descriptor is -1 where none came.
ssize_t cjail_receive(int socket, void *bytes, size_t length, int *descriptor);
