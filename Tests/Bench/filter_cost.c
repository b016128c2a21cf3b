// What a system call filter costs a call that it allows: filter_cost FILTER ROUNDS. Prints, in nanoseconds a call, one
// sample a round: without the filter and under it, in turns, each in a process of its own, since no filter comes off.
// FILTER: struct sock_filter after struct sock_filter, as seccomp(2) takes them.
#define _GNU_SOURCE
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Few enough calls that most rounds end within one turn on the processor.
enum { CALLS = 4000, MOST_ROUNDS = 1000, MOST_INSTRUCTIONS = 4096 };
static struct sock_filter code[MOST_INSTRUCTIONS];
static struct sock_fprog program = {.filter = code};

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

// [0] a call that the kernel knows to be allowed without running the filter, [1] one whose first argument decides.
static void measure(bool filtered, double result[2]) {
  if (filtered && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) _exit(1);
  if (filtered && syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) _exit(1);
  for (int i = 0; i < CALLS / 4; i++) syscall(SYS_getppid);
  double start = now();
  for (int i = 0; i < CALLS; i++)
    if (syscall(SYS_getppid) < 0) _exit(2);
  double middle = now();
  for (int i = 0; i < CALLS; i++)
    if (syscall(SYS_prctl, PR_GET_DUMPABLE, 0, 0, 0, 0) < 0) _exit(2);
  result[0] = (middle - start) / CALLS;
  result[1] = (now() - middle) / CALLS;
}

static bool in_child(bool filtered, double result[2]) {
  int ends[2], status = 0;
  if (pipe(ends) != 0) return false;
  pid_t child = fork();
  if (child == 0) {
    measure(filtered, result);
    _exit(write(ends[1], result, 2 * sizeof *result) == 2 * sizeof *result ? 0 : 3);
  }
  close(ends[1]);
  bool got = read(ends[0], result, 2 * sizeof *result) == 2 * sizeof *result;
  close(ends[0]);
  return waitpid(child, &status, 0) == child && status == 0 && got;
}

static void print(const char *name, double samples[][4], int rounds, int column, const char *end) {
  printf("\"%s\":[", name);
  for (int i = 0; i < rounds; i++) printf("%s%.1f", i ? "," : "", samples[i][column]);
  printf("]%s", end);
}

int main(int argc, char **argv) {
  static double samples[MOST_ROUNDS][4];
  FILE *file = argc == 3 ? fopen(argv[1], "r") : NULL;
  int rounds = argc == 3 ? atoi(argv[2]) : 0;
  if (!file || rounds < 1 || rounds > MOST_ROUNDS) return fputs("usage: filter_cost FILTER ROUNDS\n", stderr), 2;
  program.len = (unsigned short)fread(code, sizeof *code, MOST_INSTRUCTIONS, file);
  for (int i = 0; i < rounds; i++) {
    if (in_child(false, samples[i]) && in_child(true, samples[i] + 2)) continue;
    return fputs("a call was refused\n", stderr), 1;
  }
  printf("{\"instructions\":%u,", program.len);
  print("bare", samples, rounds, 0, ",");
  print("checked bare", samples, rounds, 1, ",");
  print("allowed", samples, rounds, 2, ",");
  print("checked", samples, rounds, 3, "}\n");
  return 0;
}
