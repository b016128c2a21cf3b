// A root of its own, from which the old trick walks out.
#include "attempts.h"

#include <sched.h>

ATTEMPT(chroot) {
  if (unshare(CLONE_NEWUSER) != 0 && geteuid() != 0) return errno;
  return outcome(chroot("/"));
}
