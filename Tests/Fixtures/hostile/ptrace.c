// Traces; who may trace itself may trace others.
#include "hostile.h"

#include <sys/ptrace.h>

ATTEMPT(ptrace) {
  return outcome(ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}
