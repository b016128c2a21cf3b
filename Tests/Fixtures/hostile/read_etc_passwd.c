// The users of the machine.
#include "attempts.h"

ATTEMPT(read_etc_passwd) {
  return read_some("/etc/passwd");
}
