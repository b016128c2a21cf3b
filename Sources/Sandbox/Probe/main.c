// Usage: nexus-sandbox-probe [NAME]. One line per act: name, group, layer, "held", "open" or "apart", what the kernel
// said; tabs between. "apart" means that a child process was not to be had and the act can end the process: run it
// alone, by its name; death by a signal is then "held". The last line is "end" and the number of acts.
#include "probe.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static const struct group *const groups[] = {
    &group_kernel,    &group_mounts, &group_machine, &group_namespaces, &group_sockets, &group_processes,
    &group_proc,      &group_files,  &group_devices, &group_memory,     &group_limits,  &group_identity,
};
#define GROUPS (sizeof groups / sizeof groups[0])
enum { CHILD_FAILED = 255 };

int refused_by_policy(long result) {
  if (result >= 0) return 0;
  return errno == EPERM || errno == EACCES || errno == ENOSYS ? errno : -errno;
}

int try_call(const struct act *act) {
  const unsigned long *n = act->number;
  return refused_by_policy(syscall((long)n[0], n[1], n[2], n[3], n[4], n[5], n[6]));
}

static void report(const struct group *group, const struct act *act, const char *verdict, const char *detail) {
  printf("%s\t%s\t%s\t%s\t%s\n", act->name, group->name, act->layer, verdict, detail);
}

static void report_result(const struct group *group, const struct act *act, int result) {
  char reached[64];
  const char *name = result == 0 ? NULL : strerrorname_np(result < 0 ? -result : result);
  if (result > 0) return report(group, act, "held", name ? name : "refused");
  snprintf(reached, sizeof reached, "the kernel answered %s", name ? name : "an error");
  report(group, act, "open", result == 0 ? "succeeded" : reached);
}

// The result of an act in a child, which may die of it: then it was held, if by a signal of the kernel's.
static int run_in_child(const struct act *act, char *death, size_t size) {
  int ends[2], status, result = -EIO;
  // Close-on-exec, which is how an act tells our own from what was leaked.
  if (pipe2(ends, O_CLOEXEC) != 0) return -errno;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    int found = act->run(act);
    _exit(write(ends[1], &found, sizeof found) == sizeof found ? 0 : CHILD_FAILED);
  }
  close(ends[1]);
  ssize_t got = child > 0 ? read(ends[0], &result, sizeof result) : -1;
  close(ends[0]);
  if (child < 0 || waitpid(child, &status, 0) != child) return -errno;
  if (got == sizeof result) return result;
  if (WIFSIGNALED(status)) snprintf(death, size, "killed by signal %d", WTERMSIG(status));
  return WIFSIGNALED(status) ? EPERM : -EIO;
}

static bool can_fork(void) {
  pid_t child = fork();
  if (child == 0) _exit(0);
  if (child > 0) waitpid(child, NULL, 0);
  return child > 0;
}

static void run_act(const struct group *group, const struct act *act, bool forks) {
  char death[64] = "";
  if (!forks && act->deadly) return report(group, act, "apart", "");
  int result = forks ? run_in_child(act, death, sizeof death) : act->run(act);
  if (death[0]) return report(group, act, "held", death);
  report_result(group, act, result);
}

static int run_alone(const char *name) {
  for (size_t g = 0; g < GROUPS; g++)
    for (size_t i = 0; i < groups[g]->count; i++) {
      const struct act *act = &groups[g]->acts[i];
      if (strcmp(act->name, name) != 0) continue;
      report_result(groups[g], act, act->run(act));
      return fflush(stdout);
    }
  fprintf(stderr, "nexus-sandbox-probe: there is no act %s\n", name);
  return 64;
}

int main(int count, char **arguments) {
  static char buffer[1 << 16];
  setvbuf(stdout, buffer, _IOFBF, sizeof buffer);
  signal(SIGXFSZ, SIG_IGN);
  if (count > 1) return run_alone(arguments[1]);
  bool forks = can_fork();
  size_t acts = 0;
  for (size_t g = 0; g < GROUPS; g++)
    for (size_t i = 0; i < groups[g]->count; i++, acts++) {
      run_act(groups[g], &groups[g]->acts[i], forks);
      fflush(stdout);
    }
  printf("end\t%zu\n", acts);
  return fflush(stdout);
}
