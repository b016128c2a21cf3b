// Every family but local sockets, with bits set that the kernel ignores. A list of what is forbidden always
// forgets one.
#include "attempts.h"

#include <sys/socket.h>

ATTEMPT(any_socket) {
  static const int types[] = {SOCK_DGRAM, SOCK_RAW};
  int error = EPERM;
  for (unsigned long family = 0; family < 64; family++) {
    for (size_t i = 0; i < 2 && family != AF_UNIX; i++) {
      long fd = syscall(SYS_socket, family | 1ul << 32, types[i] | SOCK_CLOEXEC, 0);
      if (fd >= 0) return 0;
      if (errno != EPERM) error = errno;  // one that got past the filter says more
    }
  }
  return error;
}
