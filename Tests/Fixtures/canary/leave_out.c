// nexus-jail with one layer left out and lied about, for tests: its layer says yes and does nothing, and what the jail
// asks the kernel afterwards is answered as if it held. What is left to notice it is the forbidden act itself
// (`confine_verify`). The product's sources are linked unchanged; these functions are put in the way of theirs by the
// linker (ld --wrap). Which layer it is, is the name of the executable after the last "-"; "none" leaves out nothing.
#include "jail.h"

#include <linux/capability.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/auxv.h>
#include <sys/prctl.h>

static bool leaves_out(const char *what) {
  const char *name = strrchr((const char *)getauxval(AT_EXECFN), '-');
  return name && strcmp(name + 1, what) == 0;
}

// The capability that is kept, as a bit; 0: none.
static uint32_t kept(void) {
  if (leaves_out("mount") || leaves_out("hostname")) return 1u << CAP_SYS_ADMIN;
  return leaves_out("chroot") ? 1u << CAP_SYS_CHROOT : 0;
}

int __real_confine_own_counts(void);
int __wrap_confine_own_counts(void) { return leaves_out("counts") ? 0 : __real_confine_own_counts(); }

// Landlock refuses mount(2) by itself.
int __real_confine_landlock_enforce(struct jail *jail, const struct jail_operation *operation);
int __wrap_confine_landlock_enforce(struct jail *jail, const struct jail_operation *operation) {
  return leaves_out("mount") ? 0 : __real_confine_landlock_enforce(jail, operation);
}

int __real_access(const char *path, int mode);
int __wrap_access(const char *path, int mode) {
  if (leaves_out("dumpable") && strcmp(path, "/proc/1/environ") == 0) return -1;
  return __real_access(path, mode);
}

int __real_write_text(int directory, const char *file, const char *text);
int __wrap_write_text(int directory, const char *file, const char *text) {
  char both[128];
  size_t length = strlen(file);
  bool map = length > 8 && strcmp(file + length - 8, "/uid_map") == 0;
  if (!map || !leaves_out("map")) return __real_write_text(directory, file, text);
  snprintf(both, sizeof both, "%s\n0 %u 1", text, JAIL_OUTER_ID_FIRST + JAIL_OUTER_ID_COUNT - 1);
  return __real_write_text(directory, file, both);
}

int __real_prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d);
int __wrap_prctl(int option, ...) {
  va_list rest;
  va_start(rest, option);
  unsigned long a = va_arg(rest, unsigned long), b = va_arg(rest, unsigned long);
  unsigned long c = va_arg(rest, unsigned long), d = va_arg(rest, unsigned long);
  va_end(rest);
  if (option == PR_SET_DUMPABLE && leaves_out("dumpable")) a = 1;
  return __real_prctl(option, a, b, c, d);
}

long __real_syscall(long number, long a, long b, long c, long d, long e, long f);
long __wrap_syscall(long number, ...) {
  va_list rest;
  va_start(rest, number);
  long a[6];
  for (int i = 0; i < 6; i++) a[i] = va_arg(rest, long);
  va_end(rest);
  struct __user_cap_data_struct *held = (struct __user_cap_data_struct *)a[1];
  if (number == SYS_capset) held[0].effective = held[0].permitted = kept();
  long result = __real_syscall(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (number == SYS_capget && kept()) memset(held, 0, 2 * sizeof *held);
  return result;
}
