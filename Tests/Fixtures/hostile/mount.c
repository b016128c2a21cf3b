// In a mount namespace of its own if it can have one, so that trying this outside a jail leaves nothing behind.
#include "attempts.h"

#include <sched.h>
#include <sys/mount.h>

ATTEMPT(mount) {
  if (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0)
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
  return outcome(mount("tmpfs", "/tmp", "tmpfs", 0, NULL));
}
