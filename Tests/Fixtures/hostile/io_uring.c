// Requests that go around every filter on the calls that they stand for.
#include "attempts.h"

#include <linux/io_uring.h>

ATTEMPT(io_uring) {
  struct io_uring_params parameters = {0};
  return outcome(syscall(SYS_io_uring_setup, 1, &parameters));
}
