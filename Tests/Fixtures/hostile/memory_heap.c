// A gigabyte of ordinary memory.
#include "attempts.h"

#include <sys/mman.h>

ATTEMPT(memory_heap) {
  for (int i = 0; i < CHUNKS; i++) {
    char *chunk = mmap(NULL, CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (chunk == MAP_FAILED) return errno;
    memset(chunk, 1, CHUNK);
  }
  return 0;
}
