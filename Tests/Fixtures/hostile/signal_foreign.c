// Signals a process that is not the jail's; the test says which. 0 only asks whether it could.
#include "attempts.h"

#include <signal.h>
#include <stdlib.h>

ATTEMPT(signal_foreign) {
  int process = argument ? atoi(argument) : 1;
  if (kill(process, 0) == 0) return 0;
  return outcome(syscall(SYS_tgkill, process, process, 0));
}
