// Leaves a file anywhere but in /tmp.
#include "attempts.h"

ATTEMPT(write_outside_tmp) {
  const char *const places[] = {argument,       "/written",         "/usr/written",
                                "/dev/written", "/dev/shm/written", "/proc/written"};
  int error = ENOENT;
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    if (!places[i]) continue;
    int fd = open(places[i], O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) {
      if (errno != ENOENT) error = errno;  // a place that exists says more
      continue;
    }
    ssize_t written = write(fd, "x", 1);
    close(fd);
    unlink(places[i]);
    if (written == 1) return 0;
  }
  return error;
}
