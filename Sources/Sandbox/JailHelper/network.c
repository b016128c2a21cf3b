// Network namespaces made ahead. One costs as much as the rest of a jail, so a few are made while nothing else is to
// do, and the launcher steps into one for the moment of a clone. Each is used by one jail. They belong to the
// launcher's user namespace: a jail never has a capability over the network that it is in.
#include "jail.h"

#include <sched.h>
#include <sys/prctl.h>

#define MOST_READY 8

static int ready[MOST_READY], ready_count, home = -1;

// An ordinary user may return from a network namespace only where that belongs to a user namespace of its own. Half of
// one would be worse than none: without its ids no jail could be mapped.
static bool own_user_namespace(void) {
  uid_t user = geteuid();
  gid_t group = getegid();
  const struct jail_plan_header same = {
      .outer_uid = user, .inner_uid = user, .outer_gid = group, .inner_gid = group};
  if (unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return false;
  prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  if (write_maps(getpid(), &same) != 0) _exit(1);
  return true;
}

void network_prepare(void) {
  if (geteuid() != 0 && !own_user_namespace()) return;
  home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
}

// Makes one more; false when there are enough or none can be made.
bool network_refill(void) {
  if (home < 0 || ready_count == MOST_READY || unshare(CLONE_NEWNET) != 0) return false;
  int made = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
  network_leave();
  if (made < 0) return false;
  ready[ready_count++] = made;
  return true;
}

// Steps into a network namespace that nobody has used; false where none is ready.
bool network_enter(void) {
  if (ready_count == 0) return false;
  int fd = ready[--ready_count];
  bool entered = setns(fd, CLONE_NEWNET) == 0;
  close(fd);
  return entered;
}

// A launcher that stayed in a jail's network would share it with the next one.
void network_leave(void) {
  if (setns(home, CLONE_NEWNET) != 0) _exit(1);
}
