// A socket of the host that is disconnected and connected to another place.
#include "attempts.h"
#include "streams.h"

ATTEMPT(tcp_reconnect) {
  int stream = connected_stream(argument);
  if (stream < 0) return EBADF;
  struct sockaddr_in other = elsewhere(argument);
  if (disconnect(stream) != 0) return errno;
  return outcome(connect(stream, (struct sockaddr *)&other, sizeof other));
}
