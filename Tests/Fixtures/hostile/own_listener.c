// A filter of its own with a listener, which could answer for the kernel.
#include "attempts.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>

ATTEMPT(own_listener) {
  struct sock_filter allow = {.code = BPF_RET | BPF_K, .k = SECCOMP_RET_ALLOW};
  struct sock_fprog program = {.len = 1, .filter = &allow};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return errno;
  return outcome(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program));
}
