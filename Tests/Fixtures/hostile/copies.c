// For attempts that execute what they have written: a copy of this program, which says that it was executed.
#include "attempts.h"

char *executed_arguments[] = {"hostile", "executed", NULL, NULL};

int copy_program(int to) {
  static char bytes[1 << 16];
  int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (from < 0) return errno;
  ssize_t count;
  while ((count = read(from, bytes, sizeof bytes)) > 0)
    if (write(to, bytes, (size_t)count) != count) return errno;
  close(from);
  return count < 0 ? errno : 0;
}
