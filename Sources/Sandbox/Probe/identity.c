// What the process was given at its start and should not have: rights, users, descriptors, variables.
#include "probe.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <sys/prctl.h>

extern char **environ;

static int held_capability(const struct act *act) {
  char line[256];
  unsigned long long bits = 0, all = 0;
  FILE *file = fopen("/proc/self/status", "re");
  (void)act;
  if (!file) return -errno;
  while (fgets(line, sizeof line, file))
    if (sscanf(line, "CapPrm: %llx", &bits) == 1 || sscanf(line, "CapInh: %llx", &bits) == 1) all |= bits;
  fclose(file);
  return all == 0 ? EPERM : 0;
}

static int later_capability(const struct act *act) {
  (void)act;
  for (unsigned long capability = 0; capability < 64; capability++)
    if (prctl(PR_CAPBSET_READ, capability, 0, 0, 0) == 1) return 0;
  return EPERM;
}

static int gain_privileges(const struct act *act) {
  (void)act;
  return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? EPERM : 0;
}

static int unfiltered(const struct act *act) {
  (void)act;
  int mode = prctl(PR_GET_SECCOMP, 0, 0, 0, 0);
  return mode == 0 ? 0 : mode > 0 ? EPERM : errno;
}

// Whether what is this user here is root on the machine.
static int root_outside(const struct act *act) {
  unsigned long inside, outside, count, own = getuid();
  FILE *file = fopen("/proc/self/uid_map", "re");
  int result = EPERM;
  (void)act;
  if (!file) return -errno;
  while (fscanf(file, "%lu %lu %lu", &inside, &outside, &count) == 3)
    if (own >= inside && own - inside < count && outside + (own - inside) == 0) result = 0;
  fclose(file);
  return result;
}

static int root_inside(const struct act *act) {
  (void)act;
  return getuid() == 0 || geteuid() == 0 ? 0 : EPERM;
}

static int variables(const struct act *act) {
  (void)act;
  return environ && environ[0] ? 0 : ENOENT;
}

// Anything above the channel on 3; what is closed on exec was opened by this program.
static int leaked_descriptor(const struct act *act) {
  (void)act;
  for (int fd = 4; fd < 4096; fd++)
    if (fcntl(fd, F_GETFD) == 0) return 0;
  return EBADF;
}

// EINVAL holds as well: there is no such user in the map.
static int become(const struct act *act) {
  return syscall((long)act->number[0], act->number[1], act->number[1], act->number[1]) == 0 ? 0 : errno;
}

static int take_capabilities(const struct act *act) {
  struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
  struct __user_cap_data_struct all[2] = {{1u << CAP_SYS_CHROOT, 1u << CAP_SYS_CHROOT, 0}};
  (void)act;
  return refused_by_policy(syscall(SYS_capset, &header, all));
}

static const struct act identity[] = {
    {"capability-held", "capabilities", held_capability, NULL, {0}, false},
    {"capability-later", "capabilities", later_capability, NULL, {0}, false},
    {"capability-taken", "capabilities, seccomp", take_capabilities, NULL, {0}, false},
    {"new-privileges", "no-new-privileges", gain_privileges, NULL, {0}, false},
    {"no-filter", "seccomp", unfiltered, NULL, {0}, false},
    {"root-outside", "identity", root_outside, NULL, {0}, false},
    {"root-inside", "identity", root_inside, NULL, {0}, false},
    {"become-root", "seccomp, capabilities", become, NULL, {SYS_setresuid, 0}, false},
    {"become-group", "seccomp, capabilities", become, NULL, {SYS_setresgid, 0}, false},
    {"drop-groups", "seccomp, capabilities", become, NULL, {SYS_setgroups, 0}, false},
    {"environment", "exec", variables, NULL, {0}, false},
    {"leaked-descriptor", "descriptors", leaked_descriptor, NULL, {0}, false},
};
const struct group group_identity = GROUP("identity", identity);
