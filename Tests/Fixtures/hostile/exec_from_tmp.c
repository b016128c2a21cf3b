// A program that it has written itself.
#include "attempts.h"

#include <stdlib.h>
#include <sys/stat.h>

ATTEMPT(exec_from_tmp) {
  char path[] = "/tmp/hostile-XXXXXX";
  int fd = mkstemp(path);
  if (fd < 0) return errno;
  int error = copy_program(fd);
  if (!error && fchmod(fd, 0700) != 0) error = errno;
  close(fd);
  fd = open(path, O_PATH | O_CLOEXEC);
  unlink(path);
  if (error) return error;
  executed_arguments[2] = "exec-from-tmp";
  syscall(SYS_execveat, fd, "", executed_arguments, NULL, AT_EMPTY_PATH);
  return errno;
}
