// Other processes: their memory, descriptors and signals; and the entries for programs of another kind of processor.
#include "probe.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#ifndef TIOCSTI
#include <asm/ioctls.h>
#endif

#define NONE (~0UL)
#define CALL(title, held_by, ...) {.name = title, .layer = held_by, .run = try_call, .number = {__VA_ARGS__}}

// Address 0 of process 1: the right to read is asked first, and nothing is there.
static int foreign_memory(const struct act *act) {
  char byte = 0;
  struct iovec here = {&byte, 1}, there = {NULL, 1};
  return refused_by_policy(syscall((long)act->number[0], act->number[1], &here, 1, &there, 1, 0));
}

// Any process besides this one and its threads.
static int see_processes(const struct act *act) {
  DIR *folder = opendir("/proc");
  (void)act;
  if (!folder) return errno;
  struct dirent *entry;
  int found = ENOENT;
  while ((entry = readdir(folder))) {
    long pid = atol(entry->d_name);
    if (pid > 0 && pid != getpid() && pid != getppid()) found = 0;
  }
  closedir(folder);
  return found;
}

#ifdef __x86_64__
// getpid by the 32-bit entry, and by the x32 number: a filter that forgets to look reads both as other calls.
static int ia32_call(const struct act *act) {
  long result = 20;
  (void)act;
  __asm__ volatile("int $0x80" : "+a"(result) : : "memory", "r8", "r9", "r10", "r11");
  return result > 0 ? 0 : (int)-result;
}

static int x32_call(const struct act *act) {
  (void)act;
  return refused_by_policy(syscall(0x40000000L | SYS_getpid));
}
#endif

static const struct act processes[] = {
    CALL("trace-init", "seccomp", SYS_ptrace, PTRACE_SEIZE, 1, 0, NONE),
    CALL("trace-me", "seccomp", SYS_ptrace, 9999),
    {"memory-of-init-read", "seccomp, init not dumpable", foreign_memory, NULL, {SYS_process_vm_readv, 1}, false},
    {"memory-of-init-write", "seccomp, init not dumpable", foreign_memory, NULL, {SYS_process_vm_writev, 1}, false},
    CALL("process-madvise", "seccomp", SYS_process_madvise, NONE),
    CALL("compare-processes", "seccomp", SYS_kcmp, 1, 1, KCMP_FILE, 0, 0),
    CALL("descriptor-of-another", "seccomp", SYS_pidfd_getfd, NONE),
    CALL("handle-on-init", "seccomp", SYS_pidfd_open, 1, 0),
    CALL("signal-init", "seccomp, pid namespace", SYS_kill, 1, 0),
    CALL("signal-everybody", "seccomp, pid namespace", SYS_kill, NONE, 0),
    CALL("queue-signal", "seccomp, pid namespace", SYS_rt_sigqueueinfo, 1, 0, 0),
    {"see-processes", "pid namespace, proc", see_processes, NULL, {0}, false},
    CALL("terminal-input", "seccomp", SYS_ioctl, 0, TIOCSTI, 0),
    CALL("terminal-input-wide", "seccomp", SYS_ioctl, 0, (1UL << 32) | TIOCSTI, 0),
    CALL("terminal-paste", "seccomp", SYS_ioctl, 0, TIOCLINUX, 0),
    {"terminal-of-the-session", "files, session", try_open, "/dev/tty", {O_RDWR | O_NOCTTY}, false},
    CALL("run-realtime", "seccomp, limits", SYS_sched_setattr, 0, NONE, 0),
    CALL("raise-priority", "seccomp, limits", SYS_setpriority, 0, 0, (unsigned long)-5),
#ifdef __x86_64__
    {"call-of-ia32", "seccomp", ia32_call, NULL, {0}, true},
    {"call-of-x32", "seccomp", x32_call, NULL, {0}, true},
#endif
};
const struct group group_processes = GROUP("processes", processes);
