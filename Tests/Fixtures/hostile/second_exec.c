// Executes this very file again, by name and by descriptor: what no mount option and no Landlock rule would stop.
#include "attempts.h"

ATTEMPT(second_exec) {
  char *none[] = {NULL};
  executed_arguments[2] = "second-exec";
  execve("/proc/self/exe", executed_arguments, none);
  int first = errno;
  int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (self >= 0) syscall(SYS_execveat, self, "", executed_arguments, none, AT_EMPTY_PATH);
  syscall(SYS_execveat, -1, "/proc/self/exe", executed_arguments, none, AT_EMPTY_PATH);
  return first;
}
