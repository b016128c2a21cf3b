// getpid by the 32-bit entry, which a filter that forgets to check the architecture reads as another call.
#include "attempts.h"

ATTEMPT(ia32_call) {
#ifdef __x86_64__
  long result = 20;
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  return result > 0 ? 0 : (int)-result;
#else
  return ENOSYS;
#endif
}
