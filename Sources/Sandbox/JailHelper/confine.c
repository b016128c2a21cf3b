// What a process gives up: ids, capabilities, limits, paths (Landlock), system calls, descriptors. Each function
// does one layer; verification asks the kernel afterwards, because a call that returned 0 proves little.
#include "jail.h"

#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>

#define LOCKED_SECUREBITS                                                                                       \
  (SECBIT_NOROOT | SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_SETUID_FIXUP_LOCKED |              \
   SECBIT_KEEP_CAPS_LOCKED | SECBIT_NO_CAP_AMBIENT_RAISE | SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED)

int confine_set_ids(const struct jail *jail, const struct jail_operation *operation) {
  const struct jail_plan_header *header = jail->plan.header;
  // Where the launcher isn't root, setgroups(2) is denied for good by the id map, and groups stay as they were.
  if (operation->number[0] == 1 && setgroups(0, NULL) != 0) return -1;
  if (setresgid(header->inner_gid, header->inner_gid, header->inner_gid) != 0) return -1;
  return setresuid(header->inner_uid, header->inner_uid, header->inner_uid);
}

// getppid() is 0 in a pid namespace, so a launcher that died before this call is noticed by its pipe.
int confine_die_with_launcher(const struct jail *jail) {
  if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0) return -1;
  struct pollfd alive = {.fd = jail->alive, .events = POLLIN};
  if (poll(&alive, 1, 0) == 0) return 0;
  errno = ESRCH;
  return -1;
}

// What a jail makes of these counts against whoever made its user namespace as well: the host, and all its other jails.
int confine_own_counts(void) {
  if (write_text(AT_FDCWD, "/proc/sys/user/max_inotify_instances", "16") != 0) return -1;
  if (write_text(AT_FDCWD, "/proc/sys/user/max_inotify_watches", "4096") != 0) return -1;
  return write_text(AT_FDCWD, "/proc/sys/user/max_user_namespaces", "0");
}

// In this order: the first two need the capability that the last one takes away.
int confine_drop_capabilities(void) {
  if (prctl(PR_SET_SECUREBITS, LOCKED_SECUREBITS, 0, 0, 0) != 0) return -1;
  for (unsigned long capability = 0; capability < 64; capability++) {
    if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0) continue;
    if (errno == EINVAL && capability > CAP_SETPCAP) break;
    return -1;
  }
  if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0) return -1;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct none[2] = {{0}};
  return (int)syscall(SYS_capset, &header, none);
}

// Never raises what the launcher itself was given: that would need a privilege, and less is stricter anyway.
int confine_limit(const struct jail_operation *operation) {
  __rlimit_resource_t resource = (__rlimit_resource_t)operation->number[0];
  struct rlimit limit;
  if (getrlimit(resource, &limit) != 0) return -1;
  if (operation->number[1] < limit.rlim_max) limit.rlim_max = operation->number[1];
  limit.rlim_cur = limit.rlim_max;
  return setrlimit(resource, &limit);
}

int confine_speculation(const struct jail_operation *operation) {
  if (prctl(PR_SET_SPECULATION_CTRL, operation->number[0], PR_SPEC_FORCE_DISABLE, 0, 0) == 0) return 0;
  if (errno != ENXIO && errno != EPERM) return -1;
  // Not controllable on this processor; fine when that is because it is not affected or already off.
  int state = prctl(PR_GET_SPECULATION_CTRL, operation->number[0], 0, 0, 0);
  if (state >= 0 && (state == PR_SPEC_NOT_AFFECTED || (state & (PR_SPEC_DISABLE | PR_SPEC_FORCE_DISABLE)))) return 0;
  errno = ENXIO;
  return -1;
}

// A group of its own: nothing else runs on the sibling of a core that it runs on.
int confine_schedule_apart(void) {
  return prctl(PR_SCHED_CORE, PR_SCHED_CORE_CREATE, 0, PR_SCHED_CORE_SCOPE_THREAD_GROUP, 0);
}

int confine_landlock(struct jail *jail, const struct jail_operation *operation) {
  struct landlock_ruleset rules = {operation->number[0], operation->number[1], operation->number[2]};
  jail->ruleset = (int)syscall(SYS_landlock_create_ruleset, &rules, sizeof rules, 0);
  return jail->ruleset < 0 ? -1 : 0;
}

int confine_landlock_allow(struct jail *jail, const struct jail_operation *operation) {
  int fd = open(operation_text(operation), O_PATH | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0) return -1;
  struct stat info = {0};
  int result = fstat(fd, &info);
  struct landlock_path rule = {.rights = operation->number[0], .parent = fd};
  if (!S_ISDIR(info.st_mode)) rule.rights &= LANDLOCK_ANY_FILE_RIGHTS;
  if (result == 0)
    result = (int)syscall(SYS_landlock_add_rule, jail->ruleset, LANDLOCK_PATH_BENEATH, &rule, 0);
  int error = errno;
  close(fd);
  errno = error;
  return result;
}

int confine_landlock_enforce(struct jail *jail, const struct jail_operation *operation) {
  int result = (int)syscall(SYS_landlock_restrict_self, jail->ruleset, (uint32_t)operation->number[0]);
  int error = errno;
  close(jail->ruleset);
  jail->ruleset = -1;
  errno = error;
  return result;
}

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

// Installs the filter, has the kernel say that it is in force, and tries something harmless that it answers by itself:
// clone3 without arguments is EINVAL where no filter refuses it. A filter that asks the host comes with a listener,
// which leaves this process before it makes a call that might be asked about. Where the kernel gives none (old, or
// EBUSY below a container's own listener), the filter refuses those calls by itself.
int confine_filter(const struct jail_operation *operation, int report) {
  struct sock_filter *code = (struct sock_filter *)operation_text(operation);
  struct sock_fprog program = {.len = (unsigned short)(operation->data_length / sizeof *code), .filter = code};
  unsigned long flags = SECCOMP_FILTER_FLAG_NEW_LISTENER, patient = flags | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV;
  bool asks = operation->number[0] == 1;
  int listener = asks ? (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, patient, &program) : -1;
  if (asks && listener < 0 && errno == EINVAL)
    listener = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
  int error = listener < 0 ? errno : 0;
  for (unsigned short i = 0; listener < 0 && i < program.len; i++)
    if (code[i].code == (BPF_RET | BPF_K) && code[i].k == SECCOMP_RET_USER_NOTIF) code[i].k = SECCOMP_RET_ERRNO | EPERM;
  if (listener < 0 && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) return -1;
  if (asks && report_descriptor(report, JAIL_REPORT_LISTENER, listener, error) != 0) return -1;
  if (listener >= 0 && close(listener) != 0) return -1;
  int mode = prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
  if (mode == SECCOMP_MODE_FILTER && syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS) return 0;
  if (mode >= 0) errno = ENOTSUP;
  return -1;
}

static int place(int from, int to, int flags) {
  if (from >= 0) return dup3(from, to, flags) < 0 ? -1 : 0;
  if (to <= 2) return 0;  // the launcher's /dev/null
  close(to);
  return 0;
}

int confine_descriptors(struct jail *jail) {
  if (place(jail->input, 0, 0) || place(jail->output, 1, 0) || place(jail->error, 2, 0)) return -1;
  if (place(jail->channel, CHANNEL_FD, 0) || place(jail->report, REPORT_FD, O_CLOEXEC)) return -1;
  if (place(jail->executable, EXECUTABLE_FD, O_CLOEXEC)) return -1;
  if (place(jail->gate, GATE_FD, O_CLOEXEC)) return -1;
  jail->report = REPORT_FD;
  jail->gate = GATE_FD;
  return (int)syscall(SYS_close_range, GATE_FD + 1, ~0u, 0);
}

// Ignored signals and the mask survive exec; a plugin starts with neither.
int confine_reset_signals(void) {
  for (int number = 1; number < 65; number++) {
    if (number == SIGKILL || number == SIGSTOP || number == 32 || number == 33) continue;
    if (signal(number, SIG_DFL) == SIG_ERR) return -1;
  }
  sigset_t none;
  sigemptyset(&none);
  umask(077);
  return sigprocmask(SIG_SETMASK, &none, NULL);
}

// Tried in every jail before its program runs, with no filter in force yet: each must be refused with its errno.
static const struct { const char *problem; int error; long call; unsigned long a, b, c; } forbidden[] = {
    {"user namespaces are not used up", ENOSPC, SYS_unshare, CLONE_NEWUSER, 0, 0},
    {"init can be traced", EPERM, SYS_ptrace, PTRACE_SEIZE, 1, 0},
    {"file systems can be mounted", EPERM, SYS_mount, 0, (unsigned long)"/", (unsigned long)"none"},
    {"the root can be changed", EPERM, SYS_chroot, (unsigned long)"/", 0, 0},
    {"the namespaces can be administered", EPERM, SYS_sethostname, (unsigned long)"x", 1, 0},
    {"there is a root to become", EINVAL, SYS_setresuid, 0, 0, 0},
};

// NULL when everything holds, else what does not.
const char *confine_verify(const struct jail *jail) {
  uid_t uid[3];
  gid_t gid[3];
  struct statfs root;
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct held[2] = {{0}};
  const struct jail_plan_header *ids = jail->plan.header;
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return "no_new_privs is not set";
  if (syscall(SYS_capget, &header, held) != 0) return "capabilities cannot be read";
  for (int i = 0; i < 2; i++)
    if (held[i].effective || held[i].permitted || held[i].inheritable) return "a capability is left";
  for (unsigned long capability = 0; capability < 64; capability++)
    if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1) return "a capability is left in the bounding set";
  if (prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) != (int)LOCKED_SECUREBITS) return "securebits are not locked";
  if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 || getresgid(&gid[0], &gid[1], &gid[2]) != 0) return "ids unreadable";
  if (ids->outer_uid >= JAIL_OUTER_ID_FIRST && getgroups(0, NULL) != 0) return "a supplementary group is left";
  for (int i = 0; i < 3; i++)
    if (uid[i] != ids->inner_uid || gid[i] != ids->inner_gid) return "user or group is not the jail's";
  if (statfs("/", &root) != 0 || root.f_type != TMPFS_MAGIC) return "the root is not the jail's own";
  if (!(root.f_flags & 1)) return "the root is writable";
  if (access("/proc/1/environ", F_OK) == 0) return "init is visible in /proc";
  for (int fd = GATE_FD + 1; fd < 256; fd++)
    if (fcntl(fd, F_GETFD) >= 0) return "a descriptor was left open";
  for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
    long result = syscall(forbidden[i].call, forbidden[i].a, forbidden[i].b, forbidden[i].c, 0, 0);
    if (result == 0 || errno != forbidden[i].error) return forbidden[i].problem;
  }
  return NULL;
}
