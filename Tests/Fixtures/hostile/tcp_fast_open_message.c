// The same by sendmsg(2), whose address no filter can see.
#include "attempts.h"
#include "streams.h"

ATTEMPT(tcp_fast_open_message) {
  int stream = connected_stream(argument);
  if (stream < 0) return EBADF;
  struct sockaddr_in other = elsewhere(argument);
  struct iovec part = {"x", 1};
  struct msghdr message = {.msg_name = &other, .msg_namelen = sizeof other, .msg_iov = &part, .msg_iovlen = 1};
  disconnect(stream);
  return outcome(sendmsg(stream, &message, MSG_FASTOPEN));
}
