// New namespaces and those of others. A namespace made here ends with the process that made it.
#include "probe.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/wait.h>

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif
#define HELD_BY "seccomp, capabilities, user.max_user_namespaces"

static int make_by_unshare(const struct act *act) { return refused_by_policy(syscall(SYS_unshare, act->number[0])); }

// ENOSPC is a refusal here: the count of namespaces that the jail may make is 0.
static int held_by_count(int result) { return result == -ENOSPC ? ENOSPC : result; }

static int new_user(const struct act *act) { return held_by_count(make_by_unshare(act)); }

static int make_by_clone(const struct act *act) {
  long child = syscall(SYS_clone, act->number[0] | SIGCHLD, 0, 0, 0, 0);
  if (child == 0) _exit(0);
  if (child > 0) waitpid((pid_t)child, NULL, 0);
  return held_by_count(refused_by_policy(child));
}

#define UNSHARE(title, flag) {"unshare-" title, HELD_BY, make_by_unshare, NULL, {flag}, false}
#define CLONE(title, flag) {"clone-" title, HELD_BY, make_by_clone, NULL, {flag}, false}
#define OPEN(title, path) {title, "proc", try_open, path, {O_RDONLY}, false}

static const struct act namespaces[] = {
    {"unshare-user", HELD_BY, new_user, NULL, {CLONE_NEWUSER}, false},
    UNSHARE("nothing", 0),
    UNSHARE("mount", CLONE_NEWNS),
    UNSHARE("pid", CLONE_NEWPID),
    UNSHARE("network", CLONE_NEWNET),
    UNSHARE("ipc", CLONE_NEWIPC),
    UNSHARE("host-name", CLONE_NEWUTS),
    UNSHARE("cgroup", CLONE_NEWCGROUP),
    UNSHARE("time", CLONE_NEWTIME),
    CLONE("user", CLONE_NEWUSER),
    CLONE("mount", CLONE_NEWNS),
    CLONE("pid", CLONE_NEWPID),
    CLONE("network", CLONE_NEWNET),
    CLONE("ipc", CLONE_NEWIPC),
    CLONE("host-name", CLONE_NEWUTS),
    CLONE("cgroup", CLONE_NEWCGROUP),
    // ENOSYS makes the C library fall back to clone(2), whose flags a filter can see.
    {"clone3", "seccomp", try_call, NULL, {SYS_clone3}, false},
    {"enter-namespace", "seccomp", try_call, NULL, {SYS_setns, ~0UL, 0}, false},
    OPEN("namespace-of-init-mount", "/proc/1/ns/mnt"),
    OPEN("namespace-of-init-network", "/proc/1/ns/net"),
};
const struct group group_namespaces = GROUP("namespaces", namespaces);
