// A file in somebody's home; the test says which.
#include "attempts.h"

ATTEMPT(read_host_home) {
  return argument ? read_some(argument) : EINVAL;
}
