// New machine code: memory that is written and then executed, and programs that did not come through install.
#include "probe.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

#define PAGE 4096
enum { BOUNDED_MEGABYTES = 256 };

static int write_and_execute(const struct act *act) {
  (void)act;
  void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? errno : 0;
}

static int write_then_execute(const struct act *act) {
  (void)act;
  void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return errno;
  *(volatile char *)page = 0;
  return mprotect(page, PAGE, PROT_READ | PROT_EXEC) == 0 ? 0 : errno;
}

// The image of a running program, which is the file that was verified. "Busy" holds only as long as it runs; a sealed
// memory file is never written again.
static int change_program(const struct act *act) {
  int fd = open("/proc/self/exe", O_WRONLY | O_CLOEXEC);
  (void)act;
  if (fd < 0 && errno != ETXTBSY) return errno;
  if (fd < 0) fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
  int seals = fd < 0 ? -1 : fcntl(fd, F_GET_SEALS);
  if (fd >= 0) close(fd);
  return seals >= 0 && (seals & F_SEAL_WRITE) ? EPERM : 0;
}

// A file that may be executed but is no program: ENOEXEC says that the kernel tried.
static int execute_memory_file(const struct act *act) {
  char *const none[] = {"probe", NULL};
  (void)act;
  int fd = (int)syscall(SYS_memfd_create, "probe", 0);
  if (fd < 0) return errno;
  if (write(fd, "no program", 10) != 10) return errno;
  syscall(SYS_execveat, fd, "", none, none + 1, AT_EMPTY_PATH);
  return refused_by_policy(-1);
}

static int execute_written_file(const struct act *act) {
  char path[64];
  char *const none[] = {"probe", NULL};
  (void)act;
  snprintf(path, sizeof path, "/tmp/nexus-probe-%d", (int)getpid());
  int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0700);
  if (fd < 0) return errno;
  ssize_t written = write(fd, "no program", 10);
  close(fd);
  if (written == 10) execve(path, none, none + 1);
  int result = refused_by_policy(-1);
  unlink(path);
  return result;
}

static int execute_shell(const struct act *act) {
  char *const *const wrong = (char *const *)8;  // looked at after the right to execute
  (void)act;
  syscall(SYS_execve, "/bin/sh", wrong, NULL);
  return errno == EFAULT ? -errno : errno;
}

// More than a small jail may have; each page is touched.
static int much_memory(const struct act *act) {
  size_t size = (size_t)BOUNDED_MEGABYTES << 20;
  (void)act;
  char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return errno;
  for (size_t at = 0; at < size; at += PAGE) ((volatile char *)memory)[at] = 1;
  munmap(memory, size);
  return 0;
}

static const struct act memory[] = {
    {"write-and-execute", "no-new-code", write_and_execute, NULL, {0}, false},
    {"write-then-execute", "no-new-code", write_then_execute, NULL, {0}, false},
    {"change-own-program", "proc, sealed memory", change_program, NULL, {0}, false},
    {"execute-memory-file", "seccomp", execute_memory_file, NULL, {0}, false},
    {"execute-written-file", "noexec, landlock", execute_written_file, NULL, {0}, false},
    {"execute-shell", "files, seccomp", execute_shell, NULL, {0}, false},
    {"much-memory", "limits", much_memory, NULL, {0}, true},
};
const struct group group_memory = GROUP("memory", memory);
