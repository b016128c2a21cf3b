// Options that reach into the host's network: here, which device it leaves by.
#include "attempts.h"
#include "streams.h"

ATTEMPT(tcp_option) {
  int stream = connected_stream(argument);
  if (stream < 0) return EBADF;
  return outcome(setsockopt(stream, SOL_SOCKET, SO_BINDTODEVICE, "lo", sizeof "lo"));
}
