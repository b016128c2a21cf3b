// The users of the machine.
#include "hostile.h"

ATTEMPT(read_etc_passwd) {
  return read_some("/etc/passwd");
}
