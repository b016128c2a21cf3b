#define _GNU_SOURCE
#include "CJail.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

const char *cjail_errno_name(int number) {
  const char *name = strerrorname_np(number);
  return name ? name : "unknown";
}

const char *cjail_errno_text(int number) {
  const char *text = strerrordesc_np(number);
  return text ? text : "unknown error";
}

int cjail_syscall_number(const char *name) { return seccomp_syscall_resolve_name(name); }

int cjail_syscall_name(int32_t number, char *out, size_t size) {
  char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
  if (!name) return 0;
  size_t length = strlen(name);
  if (length < size) memcpy(out, name, length + 1);
  free(name);
  return length < size ? (int)length : 0;
}

int cjail_memfd(const char *name, int executable) {
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  int fd = (int)syscall(SYS_memfd_create, name, flags | (executable ? MFD_EXEC : 0));
  // Linux before 6.3 does not know MFD_EXEC and makes every memfd executable.
  if (fd < 0 && errno == EINVAL) fd = (int)syscall(SYS_memfd_create, name, flags);
  return fd < 0 ? -errno : fd;
}

int cjail_seal(int fd) {
  return fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) == 0 ? 0 : -errno;
}

// The socket goes to 3 before /dev/null is opened on 0 to 2, which could overwrite it.
static int prepare_descriptors(posix_spawn_file_actions_t *actions, int control) {
  int failure = posix_spawn_file_actions_adddup2(actions, control, 3);
  for (int fd = 0; fd < 3 && failure == 0; fd++)
    failure = posix_spawn_file_actions_addopen(actions, fd, "/dev/null", O_RDWR, 0);
  return failure ? failure : posix_spawn_file_actions_addclosefrom_np(actions, 4);
}

int cjail_spawn_launcher(int32_t *pid, const char *path, char *const *arguments, int control) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  char *no_environment[] = {NULL};
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawn_file_actions_init(&actions);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
  int failure = prepare_descriptors(&actions, control);
  if (failure == 0) failure = posix_spawn(pid, path, &actions, &attributes, arguments, no_environment);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  return failure;
}

int cjail_limit_sending(int socket, int seconds) {
  struct timeval limit = {.tv_sec = seconds};
  return setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0 ? 0 : -errno;
}

int cjail_send(int socket, const void *bytes, size_t length, const int *descriptors, size_t count) {
  enum { MOST = 16 };
  union {
    char bytes[CMSG_SPACE(sizeof(int) * MOST)];
    struct cmsghdr alignment;
  } control;
  if (count > MOST) return -EINVAL;
  memset(&control, 0, sizeof control);
  struct iovec part = {(void *)bytes, length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (count > 0) {
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(header), descriptors, sizeof(int) * count);
  }
  ssize_t sent;
  do {
    sent = sendmsg(socket, &message, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  return sent < 0 ? -errno : 0;
}

int cjail_landlock_abi(void) {
  long version = syscall(SYS_landlock_create_ruleset, NULL, 0, 1U /* LANDLOCK_CREATE_RULESET_VERSION */);
  return version < 0 ? -errno : (int)version;
}

int cjail_landlock_accepts(uint64_t files, uint64_t network, uint64_t scopes) {
  const uint64_t rights[3] = {files, network, scopes};
  long ruleset = syscall(SYS_landlock_create_ruleset, rights, sizeof rights, 0);
  if (ruleset < 0) return -errno;
  close((int)ruleset);
  return 1;
}

int cjail_seccomp_available(void) {
  uint32_t action = SECCOMP_RET_KILL_PROCESS;
  return syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) == 0 ? 1 : -errno;
}

// Creates the namespaces in a child that shares nothing and does nothing else: two system calls, so that it is safe
// even though the caller has threads.
int cjail_user_namespace_works(void) {
  long flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | SIGCHLD;
  long pid = syscall(SYS_clone, flags, NULL, NULL, NULL, NULL);
  if (pid == 0) syscall(SYS_exit_group, 0);
  if (pid < 0) return -errno;
  while (waitpid((pid_t)pid, NULL, __WALL) < 0 && errno == EINTR) {}
  return 1;
}

int cjail_mount_setattr_exists(void) {
  long result = syscall(442 /* mount_setattr */, -1, "", 0, NULL, 0);
  return result < 0 && errno == ENOSYS ? -ENOSYS : 1;
}

int cjail_watch_create(void) {
  int watch = epoll_create1(EPOLL_CLOEXEC);
  return watch < 0 ? -errno : watch;
}

int cjail_watch_add(int watch, int descriptor, uint64_t token) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = token};
  return epoll_ctl(watch, EPOLL_CTL_ADD, descriptor, &event) == 0 ? 0 : -errno;
}

int cjail_watch_remove(int watch, int descriptor) {
  return epoll_ctl(watch, EPOLL_CTL_DEL, descriptor, NULL) == 0 ? 0 : -errno;
}

int cjail_watch_wait(int watch, uint64_t *tokens, size_t count, int milliseconds) {
  enum { MOST = 64 };
  struct epoll_event events[MOST];
  int ready = epoll_wait(watch, events, (int)(count < MOST ? count : MOST), milliseconds);
  for (int i = 0; i < ready; i++) tokens[i] = events[i].data.u64;
  return ready < 0 ? -errno : ready;
}
