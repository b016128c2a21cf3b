// getpid with the bit of x32. A kernel without x32 answers ENOSYS: it got to look, which no filter should let it.
#include "attempts.h"

ATTEMPT(x32_call) {
  return reached(syscall(0x40000000 | SYS_getpid), ENOSYS);
}
