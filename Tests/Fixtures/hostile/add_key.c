// A key, left where no namespace is.
#include "attempts.h"

#include <linux/keyctl.h>

ATTEMPT(add_key) {
  return outcome(syscall(SYS_add_key, "user", "hostile", "x", 1, KEY_SPEC_PROCESS_KEYRING));
}
