// Walks up and out from any directory that can be had: those inherited, and our own. One directory of the host
// is enough.
#include "attempts.h"

#define UP "../../../../../../../../../../../../"

ATTEMPT(directory_escape) {
  open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int error = EBADF;
  for (int fd = 0; fd < 1024; fd++) {
    int out = openat(fd, UP "etc/passwd", O_RDONLY | O_CLOEXEC);
    if (out >= 0) return 0;
    if (errno != EBADF && errno != ENOTDIR) error = errno;
  }
  return error;
}
