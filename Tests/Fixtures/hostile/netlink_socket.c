// Routes, devices and audit.
#include "attempts.h"

#include <sys/socket.h>

ATTEMPT(netlink_socket) {
  return outcome(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0));
}
