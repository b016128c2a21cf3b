// Traces; who may trace itself may trace others.
#include "attempts.h"

#include <sys/ptrace.h>

ATTEMPT(ptrace) {
  return outcome(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}
