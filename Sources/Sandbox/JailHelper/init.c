// Process 1 of a jail. Its memory holds nothing worth reading, it is not dumpable, and its filter leaves it about ten
// system calls. It ends when the plugin ends, when the host or the launcher is gone, or on command; and the kernel then
// kills every process of the namespace.
#include "jail.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

enum { INIT_REPORT = 0, INIT_ALIVE = 1, INIT_SIGNALS = 2 };

static void watched(sigset_t *set) {
  sigemptyset(set);
  sigaddset(set, SIGCHLD);
  sigaddset(set, SIGTERM);
  sigaddset(set, SIGINT);
  sigaddset(set, SIGHUP);
}

// Blocked before the plugin exists, so that no exit is missed. A blocked signal reaches even pid 1.
void init_prepare_signals(void) {
  sigset_t set;
  watched(&set);
  signal(SIGCHLD, SIG_DFL);
  sigprocmask(SIG_BLOCK, &set, NULL);
}

// Keeps three descriptors and closes the rest at once: a copy of the plugin's channel kept here would hide its end.
static int keep_descriptors(struct jail *jail) {
  sigset_t set;
  watched(&set);
  int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (signals < 0 || dup2(jail->report, INIT_REPORT) < 0 || dup2(jail->alive, INIT_ALIVE) < 0) return -1;
  if (dup2(signals, INIT_SIGNALS) < 0) return -1;
  jail->report = INIT_REPORT;
  return (int)syscall(SYS_close_range, 3, ~0u, 0);
}

// Reaps whatever ended; reports and leaves when that was the plugin.
static void reap(pid_t plugin) {
  for (;;) {
    siginfo_t info = {0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) return;
    if (info.si_pid != plugin) continue;
    struct jail_report record = {.kind = JAIL_REPORT_EXITED, .value = info.si_status, .status = info.si_code};
    report_send(INIT_REPORT, &record);
    _exit(0);
  }
}

static void handle_command(pid_t plugin) {
  char command;
  ssize_t got = read(INIT_REPORT, &command, 1);
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) _exit(0);
  if (command == JAIL_COMMAND_TERMINATE) kill(plugin, SIGTERM);
  if (command == JAIL_COMMAND_KILL) kill(-1, SIGKILL);
}

static void handle_signals(pid_t plugin) {
  struct signalfd_siginfo info;
  while (read(INIT_SIGNALS, &info, sizeof info) == (ssize_t)sizeof info)
    if (info.ssi_signo != SIGCHLD) kill(plugin, SIGTERM);
  reap(plugin);
}

void init_main(struct jail *jail, const struct jail_operation *filter, uint32_t index, pid_t plugin) {
  int report = jail->report;
  if (keep_descriptors(jail) != 0) {
    report_failure(report, index, "init", errno, "descriptors");
    _exit(125);
  }
  if (confine_filter(filter, INIT_REPORT) != 0) {
    report_failure(INIT_REPORT, index, "init", errno, "filter");
    _exit(125);
  }
  struct jail_report ready = {.kind = JAIL_REPORT_READY, .operation = index};
  if (report_send(INIT_REPORT, &ready) != 0) _exit(125);
  reap(plugin);
  struct pollfd watch[3] = {
      {.fd = INIT_REPORT, .events = POLLIN},
      {.fd = INIT_ALIVE, .events = POLLIN},
      {.fd = INIT_SIGNALS, .events = POLLIN},
  };
  for (;;) {
    if (poll(watch, 3, -1) < 0) continue;
    if (watch[1].revents) _exit(0);
    if (watch[2].revents) handle_signals(plugin);
    if (watch[0].revents) handle_command(plugin);
  }
}
