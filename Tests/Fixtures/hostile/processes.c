// Other processes, new namespaces, and too many processes.
#include "attempts.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

int trace_process(const char *unused) {
  (void)unused;
  return ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0 ? 0 : errno;
}

int read_process_memory(const char *unused) {
  (void)unused;
  int from = 7, to = 0;
  struct iovec local = {&to, sizeof to}, remote = {&from, sizeof from};
  return process_vm_readv(getpid(), &local, 1, &remote, 1, 0) == sizeof to ? 0 : errno;
}

int new_user_namespace(const char *unused) {
  (void)unused;
  return unshare(CLONE_NEWUSER) == 0 ? 0 : errno;
}

// In a mount namespace of its own if it can have one, so that trying this outside a jail leaves nothing behind.
int mount_filesystem(const char *unused) {
  (void)unused;
  if (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0)
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
  return mount("tmpfs", "/tmp", "tmpfs", 0, NULL) == 0 ? 0 : errno;
}

enum { BOMB = 300 };

// Bounded: it wants 300 processes at once, and always takes back those that it got.
int fork_bomb(const char *unused) {
  (void)unused;
  pid_t made[BOMB];
  int count = 0, error = 0;
  while (count < BOMB && error == 0) {
    pid_t pid = fork();
    if (pid == 0) {
      pause();
      _exit(0);
    }
    if (pid < 0) error = errno;
    else made[count++] = pid;
  }
  for (int i = 0; i < count; i++) kill(made[i], SIGKILL);
  for (int i = 0; i < count; i++) waitpid(made[i], NULL, 0);
  return error;
}
