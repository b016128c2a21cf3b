// Takes a descriptor out of a process.
#include "attempts.h"

ATTEMPT(pidfd_getfd) {
  int process = (int)syscall(SYS_pidfd_open, getpid(), 0);
  return outcome(syscall(SYS_pidfd_getfd, process, 1, 0));
}
