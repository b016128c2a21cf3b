// A gigabyte of memory, by two ways.
#include "attempts.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { CHUNK = 16 << 20, CHUNKS = 64 };

int memory_heap(const char *unused) {
  (void)unused;
  for (int i = 0; i < CHUNKS; i++) {
    char *chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (chunk == MAP_FAILED) return errno;
    memset(chunk, 1, CHUNK);
  }
  return 0;
}

int memory_memfd(const char *unused) {
  (void)unused;
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
