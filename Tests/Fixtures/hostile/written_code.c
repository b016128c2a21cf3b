// Writes a function and calls it: first where it was written, then after asking for the right to execute it.
#include "attempts.h"

#include <sys/mman.h>

ATTEMPT(written_code) {
#ifdef __x86_64__
  static const unsigned char code[] = {0xb8, 0x2a, 0, 0, 0, 0xc3};  // return 42
#else
  static const unsigned char code[] = {0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6};
#endif
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return errno;
  memcpy(page, code, sizeof code);
  if (mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0) return errno;
  int (*function)(void);
  memcpy(&function, &page, sizeof function);
  return function() == 42 ? 0 : EIO;
}
