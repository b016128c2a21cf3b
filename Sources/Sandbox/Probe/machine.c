// The machine's own state: its clock, modules, swap, names, quotas. Root of a bare machine gets as far as the check of
// an argument that is wrong on purpose.
#include "probe.h"

#include <sys/timex.h>

#define NONE (~0UL)
#define MISSING (unsigned long)"/nexus-probe-missing/x"
#define CALL(title, ...) \
  {.name = title, .layer = "seccomp, capabilities", .run = try_call, .number = {__VA_ARGS__}}

// A tick of no length is refused, after the question who may set it.
static int adjust_clock(const struct act *act) {
  struct timex wrong = {.modes = ADJ_TICK};
  bool by_clock = act->number[0] == SYS_clock_adjtime;
  return refused_by_policy(by_clock ? syscall(SYS_clock_adjtime, 0, &wrong) : syscall(SYS_adjtimex, &wrong));
}

static int set_clock(const struct act *act) {
  struct timespec wrong = {.tv_nsec = 2000000000};
  (void)act;
  return refused_by_policy(syscall(SYS_clock_settime, 0, &wrong));
}

// Without a terminal of its own there is nothing to hang up.
static int hang_up(const struct act *act) {
  (void)act;
  if (setsid() < 0 && getsid(0) != getpid()) return errno;
  return refused_by_policy(syscall(SYS_vhangup));
}

static const struct act machine[] = {
    CALL("clock-time-of-day", SYS_settimeofday),
    {"clock-set", "seccomp, capabilities", set_clock, NULL, {0}, false},
    {"clock-adjtimex", "seccomp, capabilities", adjust_clock, NULL, {SYS_adjtimex}, false},
    {"clock-adjust", "seccomp, capabilities", adjust_clock, NULL, {SYS_clock_adjtime}, false},
    CALL("module-load", SYS_init_module),
    CALL("module-load-file", SYS_finit_module, NONE),
    CALL("module-remove", SYS_delete_module),
    CALL("kexec", SYS_kexec_load, 0, 0x7fffffff),
    CALL("kexec-file", SYS_kexec_file_load, NONE, NONE, 0, 0, NONE),
    CALL("reboot", SYS_reboot),
    CALL("swap-on", SYS_swapon, MISSING),
    CALL("swap-off", SYS_swapoff, MISSING),
    CALL("accounting", SYS_acct, MISSING),
    CALL("kernel-log", SYS_syslog, 9999),
    CALL("quota", SYS_quotactl, NONE),
#ifdef SYS_quotactl_fd
    CALL("quota-descriptor", SYS_quotactl_fd, NONE),
#endif
    CALL("host-name", SYS_sethostname, 0, 65),
    CALL("domain-name", SYS_setdomainname, 0, 65),
    CALL("device-node", SYS_mknodat, NONE, (unsigned long)"x", 0020000, 0x103),
    {"terminal-hang-up", "seccomp, capabilities", hang_up, NULL, {0}, false},
};
const struct group group_machine = GROUP("machine", machine);
