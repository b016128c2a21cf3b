// The same by sendto(2): MSG_FASTOPEN connects as it sends, past whatever watches connect(2).
#include "attempts.h"
#include "streams.h"

ATTEMPT(tcp_fast_open) {
  int stream = connected_stream(argument);
  if (stream < 0) return EBADF;
  struct sockaddr_in other = elsewhere(argument);
  disconnect(stream);
  return outcome(sendto(stream, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&other, sizeof other));
}
