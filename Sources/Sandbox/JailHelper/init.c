// Process 1 of a jail. Its memory holds nothing worth reading, it is not dumpable, and its filter leaves it about ten
// system calls. It ends when the plugin ends, when the host or the launcher is gone, or on command; and the kernel then
// kills every process of the namespace.
#include "jail.h"

#include <poll.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/signalfd.h>
#include <sys/wait.h>

enum { INIT_REPORT = 0, INIT_ALIVE = 1, INIT_SIGNALS = 2, INIT_GATE = 3 };

// The plugin's process is held before exec, is on its way through it, or runs the program.
static enum { HELD, LET_GO, RUNNING } state;

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
  if (jail->gate != INIT_GATE && dup2(jail->gate, INIT_GATE) < 0) return -1;
  jail->report = INIT_REPORT;
  return (int)syscall(SYS_close_range, INIT_GATE + 1, ~0u, 0);
}

static void send(uint32_t kind) {
  struct jail_report record = {.kind = kind};
  if (report_send(INIT_REPORT, &record) != 0) _exit(125);
}

// Exec has closed the other end of the gate, or its process has ended: then it has said why, or ends as others do.
static void tell_ready(void) {
  if (state != LET_GO) return;
  state = RUNNING;
  send(JAIL_REPORT_READY);
}

// Reaps whatever ended; reports and leaves when that was the plugin.
static void reap(pid_t plugin) {
  for (;;) {
    siginfo_t info = {0};
    if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) return;
    if (info.si_pid != plugin) continue;
    tell_ready();
    struct jail_report record = {.kind = JAIL_REPORT_EXITED, .value = info.si_status, .status = info.si_code};
    report_send(INIT_REPORT, &record);
    _exit(0);
  }
}

// The filter answers exec with a stop while init watches, and refuses it once init does not: there is no second exec.
static int watch_exec(pid_t plugin, bool guarded) {
  if (guarded && ptrace(PTRACE_SEIZE, plugin, 0, PTRACE_O_TRACESECCOMP) != 0) return -1;
  return write(INIT_GATE, "a", 1) == 1 ? 0 : -1;
}

static bool arrives_at_exec(pid_t plugin, bool guarded) {
  int status;
  char token;
  if (!guarded) return read(INIT_GATE, &token, 1) == 1;
  return waitpid(plugin, &status, 0) == plugin && status >> 8 == (SIGTRAP | PTRACE_EVENT_SECCOMP << 8);
}

static void let_go(pid_t plugin, bool guarded) {
  bool gone = guarded ? ptrace(PTRACE_DETACH, plugin, 0, 0) == 0 : write(INIT_GATE, "g", 1) == 1;
  if (!gone) _exit(125);
  state = LET_GO;
}

static void handle_command(pid_t plugin, bool guarded) {
  char command;
  ssize_t got = read(INIT_REPORT, &command, 1);
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) _exit(0);
  if (command == JAIL_COMMAND_START && state == HELD) let_go(plugin, guarded);
  if (command == JAIL_COMMAND_TERMINATE && state == HELD) _exit(0);
  if (command == JAIL_COMMAND_TERMINATE) kill(plugin, SIGTERM);
  if (command == JAIL_COMMAND_KILL) kill(-1, SIGKILL);
}

static void handle_signals(pid_t plugin) {
  struct signalfd_siginfo info;
  while (read(INIT_SIGNALS, &info, sizeof info) == (ssize_t)sizeof info)
    if (info.ssi_signo != SIGCHLD) kill(plugin, SIGTERM);
  reap(plugin);
}

static void fail(int report, uint32_t index, const char *what) {
  report_failure(report, index, "init", errno, what);
  _exit(125);
}

void init_main(struct jail *jail, const struct jail_operation *filter, uint32_t index, pid_t plugin, bool guarded) {
  int report = jail->report;
  if (keep_descriptors(jail) != 0) fail(report, index, "descriptors");
  if (watch_exec(plugin, guarded) != 0) fail(INIT_REPORT, index, "exec cannot be watched with ptrace");
  if (confine_filter(filter, INIT_REPORT) != 0) fail(INIT_REPORT, index, "filter");
  // A plugin's process that ends before exec has said why.
  if (!arrives_at_exec(plugin, guarded)) _exit(125);
  if (jail->wait) send(JAIL_REPORT_WAITING);
  else let_go(plugin, guarded);
  struct pollfd watch[4] = {
      {.fd = INIT_REPORT, .events = POLLIN},
      {.fd = INIT_ALIVE, .events = POLLIN},
      {.fd = INIT_SIGNALS, .events = POLLIN},
      {.fd = INIT_GATE, .events = POLLIN},
  };
  for (;;) {
    if (poll(watch, 4, -1) < 0) continue;
    if (watch[1].revents) _exit(0);
    if (watch[3].revents && state == LET_GO) {
      watch[3].fd = -1;
      tell_ready();
    }
    if (watch[2].revents) handle_signals(plugin);
    if (watch[0].revents) handle_command(plugin, guarded);
  }
}
