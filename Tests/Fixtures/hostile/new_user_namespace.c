// A user namespace of its own, with every capability in it.
#include "attempts.h"

#include <sched.h>

ATTEMPT(new_user_namespace) {
  return outcome(unshare(CLONE_NEWUSER));
}
