// The address that the host itself has on its network.
#include "attempts.h"
#include "streams.h"

ATTEMPT(tcp_own_address) {
  int stream = connected_stream(argument);
  if (stream < 0) return EBADF;
  struct sockaddr_storage own;
  socklen_t length = sizeof own;
  return outcome(getsockname(stream, (struct sockaddr *)&own, &length));
}
