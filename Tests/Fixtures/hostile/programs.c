// Code that nobody has looked at: another program, or bytes that were data a moment ago.
#include "attempts.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// Executes this very file again, by name and by descriptor: what no mount option and no Landlock rule would stop.
int second_exec(const char *round) {
  if (round && strcmp(round, "again") == 0) return 0;
  char *arguments[] = {"hostile", "second-exec", "again", NULL}, *none[] = {NULL};
  execve("/proc/self/exe", arguments, none);
  int first = errno;
  int self = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  if (self >= 0) syscall(SYS_execveat, self, "", arguments, none, AT_EMPTY_PATH);
  syscall(SYS_execveat, -1, "/proc/self/exe", arguments, none, AT_EMPTY_PATH);
  return first;
}

// Writes a function and calls it: first where it was written, then after asking for the right to execute it.
int written_code(const char *unused) {
  (void)unused;
#ifdef __x86_64__
  static const unsigned char code[] = {0xb8, 0x2a, 0, 0, 0, 0xc3};  // return 42
#else
  static const unsigned char code[] = {0x40, 0x05, 0x80, 0x52, 0xc0, 0x03, 0x5f, 0xd6};
#endif
  void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return errno;
  memcpy(page, code, sizeof code);
  if (mprotect(page, 4096, PROT_READ | PROT_EXEC) != 0) return errno;
  int (*function)(void);
  memcpy(&function, &page, sizeof function);
  return function() == 42 ? 0 : EIO;
}
