// The same by clone3, whose flags lie in memory where no filter sees them.
#include "attempts.h"

#include <linux/sched.h>
#include <signal.h>
#include <sys/wait.h>

ATTEMPT(clone3_namespaces) {
  struct clone_args arguments = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
  long child = syscall(SYS_clone3, &arguments, sizeof arguments);
  if (child == 0) _exit(0);
  if (child < 0) return errno;
  waitpid((pid_t)child, NULL, 0);
  return 0;
}
