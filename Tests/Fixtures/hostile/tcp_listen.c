// A listener on the host's own network.
#include "attempts.h"
#include "streams.h"

ATTEMPT(tcp_listen) {
  int stream = connected_stream(argument);
  if (stream < 0) return EBADF;
  disconnect(stream);
  return outcome(listen(stream, 1));
}
