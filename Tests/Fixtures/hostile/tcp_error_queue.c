// Asks for a time stamp of what it sends (SCM_TIMESTAMPING as a control message, no setsockopt), and reads the packet
// back from the error queue: with the addresses of the host's interface and of its network.
#include "attempts.h"
#include "streams.h"

#include <linux/net_tstamp.h>
#include <poll.h>

ATTEMPT(tcp_error_queue) {
  int stream = connected_stream(argument);
  if (stream < 0) return EBADF;
  unsigned flags = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_TX_SCHED;
  char packet[2048];
  union {
    char room[512];
    struct cmsghdr header;
  } control = {.header = {.cmsg_len = CMSG_LEN(sizeof flags), .cmsg_level = SOL_SOCKET, .cmsg_type = SO_TIMESTAMPING}};
  memcpy(CMSG_DATA(&control.header), &flags, sizeof flags);
  struct iovec part = {"x", 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control};
  message.msg_controllen = CMSG_SPACE(sizeof flags);
  if (sendmsg(stream, &message, MSG_NOSIGNAL) < 0) return errno;
  struct pollfd ready = {.fd = stream};
  poll(&ready, 1, 2000);
  part = (struct iovec){packet, sizeof packet};
  message.msg_controllen = sizeof control;
  ssize_t count = recvmsg(stream, &message, MSG_ERRQUEUE);
  return count > 1 ? 0 : count < 0 ? errno : ENODATA;
}
