// The interfaces and addresses of the host, which a socket of its network tells.
#include "attempts.h"
#include "streams.h"

#include <net/if.h>
#include <sys/ioctl.h>

ATTEMPT(tcp_interfaces) {
  int stream = connected_stream(argument);
  if (stream < 0) return EBADF;
  char bytes[4096];
  struct ifconf list = {.ifc_len = sizeof bytes, .ifc_buf = bytes};
  return outcome(ioctl(stream, SIOCGIFCONF, &list));
}
