#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "CMachine.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define FSOPEN_CALL 430
#define FSCONFIG_CALL 431
#define FSMOUNT_CALL 432
#define COMMAND_CREATE 6
#define GET_MDWE 66

// System calls only: this is a copy of one thread of a process that may have many.
static int mount_proc_in_child(void) {
  long context = syscall(FSOPEN_CALL, "proc", 1);
  if (context < 0) return errno;
  if (syscall(FSCONFIG_CALL, context, COMMAND_CREATE, NULL, NULL, 0) != 0) return errno;
  return syscall(FSMOUNT_CALL, context, 1, 0) < 0 ? errno : 0;
}

int cjail_proc_mount_works(void) {
  int status;
  long pid = syscall(SYS_clone, CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
  if (pid == 0) syscall(SYS_exit_group, mount_proc_in_child());
  if (pid < 0) return -errno;
  while (waitpid((pid_t)pid, &status, __WALL) < 0) {
    if (errno != EINTR) return -errno;
  }
  if (!WIFEXITED(status)) return -EINTR;
  return WEXITSTATUS(status) == 0 ? 1 : -WEXITSTATUS(status);
}

int cjail_no_new_code_known(void) { return prctl(GET_MDWE, 0, 0, 0, 0) >= 0 ? 1 : -errno; }
