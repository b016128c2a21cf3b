// under_filter FILTER PROGRAM: executes a program below a system call filter, for a comparison with the program alone
// (FILTER is "-": everything but the filter). No host answers and no init watches here, so that calls which the filter
// would report are refused by it, and the exec that it would watch is allowed.
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_INSTRUCTIONS = 4096 };
static struct sock_filter code[MOST_INSTRUCTIONS];

int main(int argc, char **argv) {
  if (argc != 3) return 64;
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return 1;
  if (strcmp(argv[1], "-") != 0) {
    FILE *file = fopen(argv[1], "re");
    if (!file) return 1;
    struct sock_fprog program = {.filter = code};
    program.len = (unsigned short)fread(code, sizeof *code, MOST_INSTRUCTIONS, file);
    fclose(file);
    for (unsigned short i = 0; i < program.len; i++) {
      if (code[i].code != (BPF_RET | BPF_K)) continue;
      if (code[i].k == SECCOMP_RET_USER_NOTIF) code[i].k = SECCOMP_RET_ERRNO | 1;
      if (code[i].k == SECCOMP_RET_TRACE) code[i].k = SECCOMP_RET_ALLOW;
    }
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0) return 1;
  }
  // As a jail does it: by execveat, which is what the filter allows.
  char *const arguments[] = {argv[2], NULL}, *const variables[] = {NULL};
  syscall(SYS_execveat, AT_FDCWD, argv[2], arguments, variables, 0);
  perror(argv[2]);
  return 1;
}
