// A program of its own in the kernel, attached to a socket that it may have.
#include "attempts.h"

#include <linux/filter.h>
#include <sys/socket.h>

ATTEMPT(socket_filter) {
  int pair[2];
  struct sock_filter accept = {.code = BPF_RET | BPF_K, .k = 65535};
  struct sock_fprog program = {.len = 1, .filter = &accept};
  // Descriptor 0 where there is no pair to be had: the call is refused before it is looked at.
  if (socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0) pair[0] = 0;
  return outcome(setsockopt(pair[0], SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program));
}
