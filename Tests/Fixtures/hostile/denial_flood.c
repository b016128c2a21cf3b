// Asks for the same refused thing again and again, to keep the host busy with it.
#include "attempts.h"

#include <linux/userfaultfd.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

ATTEMPT(denial_flood) {
  int error = 0;
  for (int i = 0; i < 300; i++) error = reached(syscall(SYS_userfaultfd, UFFD_USER_MODE_ONLY | 1 << 30), EINVAL);
  return error;
}
