// The network, version 4 or 6.
#include "attempts.h"

#include <sys/socket.h>

ATTEMPT(inet_socket) {
  if (socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0) return 0;
  return outcome(socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
}
