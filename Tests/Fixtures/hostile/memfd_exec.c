// A program that is no file: neither noexec nor Landlock look at memory.
#include "attempts.h"

#include <sys/mman.h>

ATTEMPT(memfd_exec) {
  int fd = memfd_create("program", MFD_CLOEXEC);
  if (fd < 0) return errno;
  int error = copy_program(fd);
  if (error) return error;
  executed_arguments[2] = "memfd-exec";
  syscall(SYS_execveat, fd, "", executed_arguments, NULL, AT_EMPTY_PATH);
  return errno;
}
