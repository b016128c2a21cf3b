// The hypervisor: no network namespace stands in the way.
#include "attempts.h"

#include <sys/socket.h>

ATTEMPT(vsock_socket) {
  return outcome(socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0));
}
