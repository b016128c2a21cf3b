// Compares what two processes hold in the kernel: the addresses of objects leak through the order.
#include "attempts.h"

#include <linux/kcmp.h>

ATTEMPT(kcmp) {
  return outcome(syscall(SYS_kcmp, getpid(), getpid(), KCMP_FILE, 0ul, 0ul));
}
