// The environment of the process that the jail hangs on: bubblewrap's pid 1 shows its launcher's.
#include "attempts.h"

ATTEMPT(read_proc1_environ) {
  return read_some(argument ? argument : "/proc/1/environ");
}
