// Stops the kernel in the middle of a copy.
#include "attempts.h"

#include <linux/userfaultfd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

ATTEMPT(userfaultfd) {
  return outcome(syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY));
}
