// The session's keyring, inherited from whoever started the host.
#include "attempts.h"

#include <linux/keyctl.h>

ATTEMPT(keyctl) {
  return outcome(syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1, 0, 0));
}
