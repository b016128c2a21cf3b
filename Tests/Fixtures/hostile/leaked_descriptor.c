// A descriptor that the host forgot to close.
#include "attempts.h"

ATTEMPT(leaked_descriptor) {
  for (int fd = 4; fd < 1024; fd++)
    if (fcntl(fd, F_GETFD) >= 0) return 0;
  return EBADF;
}
