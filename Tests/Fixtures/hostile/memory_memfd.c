// A gigabyte in memory files, which no rlimit counts.
#include "attempts.h"

#include <sys/mman.h>

ATTEMPT(memory_memfd) {
  static char page[1 << 16];
  memset(page, 1, sizeof page);
  for (int i = 0; i < CHUNKS; i++) {
    int fd = memfd_create("hoard", MFD_CLOEXEC);
    if (fd < 0) return errno;
    for (size_t done = 0; done < CHUNK; done += sizeof page)
      if (write(fd, page, sizeof page) != (ssize_t)sizeof page) return errno;
  }
  return 0;
}
