// The first process of nexus-jail. It forks the launcher, hands the host a socket to it, and forks the next one when it
// has ended: a host that has given up root could not. It reads nothing and holds no descriptor of a jail.
#include "jail.h"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

enum { MOST_LAUNCHERS = 5, WITHIN_SECONDS = 60 };  // what dies again and again is not cured by another

// A parent that died before this call would never be told of.
static bool dies_with(pid_t parent) { return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == parent; }

int keep_launcher(int argc, char **argv) {
  pid_t keeper = getpid();
  if (!dies_with(getppid()) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) return 1;
  if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0) return 1;  // reaps the inits that a launcher leaves
  time_t starts[MOST_LAUNCHERS];
  int ends[2], status = 0;
  for (unsigned count = 0;; count++) {
    struct timespec now = {0};
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (count >= MOST_LAUNCHERS && now.tv_sec - starts[count % MOST_LAUNCHERS] < WITHIN_SECONDS) return 1;
    starts[count % MOST_LAUNCHERS] = now.tv_sec;
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return 1;
    pid_t ended, launcher = fork();
    if (launcher == 0) {
      if (!dies_with(keeper) || dup3(ends[1], CONTROL_FD, O_CLOEXEC) < 0) return 1;
      syscall(SYS_close_range, CONTROL_FD + 1, ~0u, 0);
      return launch_jails(argc, argv);
    }
    close(ends[1]);
    if (launcher < 0 || report_descriptor(CONTROL_FD, JAIL_REPORT_LAUNCHER, ends[0], status) != 0) return 1;
    close(ends[0]);
    // Both are waited for: the parent-death signal of a host that gave up root does not reach a keeper that has it.
    int handle = (int)syscall(SYS_pidfd_open, launcher, 0);
    struct pollfd both[2] = {{.fd = handle, .events = POLLIN}, {.fd = CONTROL_FD}};
    if (handle < 0) return 1;
    do {
      while ((ended = waitpid(-1, &status, WNOHANG)) > 0 && ended != launcher) {}
    } while (ended != launcher && (poll(both, 2, 1000) >= 0 || errno == EINTR) && both[1].revents == 0);
    close(handle);
    if (ended != launcher || status == 0) return 0;
  }
}
