// The root of another process, through its link in /proc.
#include "attempts.h"

ATTEMPT(proc_root) {
  return read_some(argument ? argument : "/proc/1/root/etc/passwd");
}
