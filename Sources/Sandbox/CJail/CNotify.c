#define _GNU_SOURCE
#include "CNotify.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

// Room for kernels whose records have grown: the kernel writes as many bytes as it says, not as many as we have.
#define RECORD_BYTES 256

int cjail_listener_available(void) {
  uint32_t action = SECCOMP_RET_USER_NOTIF;
  struct seccomp_notif_sizes sizes;
  if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) != 0) return -errno;
  if (syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0) return -errno;
  return sizes.seccomp_notif <= RECORD_BYTES && sizes.seccomp_notif_resp <= RECORD_BYTES ? 1 : -E2BIG;
}

int cjail_listener_check(int listener) {
  uint64_t nobody = 0;
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &nobody) == 0 || errno == ENOENT) return 1;
  return -errno;
}

int cjail_listener_take(int listener, struct cjail_call *call) {
  union {
    unsigned char bytes[RECORD_BYTES];
    struct seccomp_notif notification;
  } record;
  struct pollfd ready = {.fd = listener, .events = POLLIN};
  if (poll(&ready, 1, 0) <= 0) return 0;
  if (!(ready.revents & POLLIN)) return ready.revents & (POLLHUP | POLLERR | POLLNVAL) ? -EPIPE : 0;
  memset(&record, 0, sizeof record);
  // ENOENT: the caller was killed between poll and here.
  if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &record) != 0) return errno == ENOENT || errno == EINTR ? 0 : -errno;
  const struct seccomp_notif *seen = &record.notification;
  *call = (struct cjail_call){
      .id = seen->id,
      .architecture = seen->data.arch,
      .number = seen->data.nr,
      .pid = (int32_t)seen->pid,
  };
  for (int i = 0; i < 6; i++) call->arguments[i] = seen->data.args[i];
  return 1;
}

static int answer(int listener, const struct seccomp_notif_resp *response) {
  union {
    unsigned char bytes[RECORD_BYTES];
    struct seccomp_notif_resp response;
  } record;
  memset(&record, 0, sizeof record);
  record.response = *response;
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &record) == 0 ? 0 : -errno;
}

int cjail_listener_refuse(int listener, uint64_t id, int32_t number) {
  if (number <= 0) return -EINVAL;  // 0 would tell the caller that its call was made
  return answer(listener, &(struct seccomp_notif_resp){.id = id, .error = -number});
}

int cjail_listener_continue_allowed(int listener, uint64_t id) {
  return answer(listener, &(struct seccomp_notif_resp){.id = id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE});
}

// After something of the caller was opened by its number: whether it was still the caller (seccomp_unotify(2)).
static int still_waits(int listener, uint64_t id) {
  return ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0 ? 0 : -errno;
}

ssize_t cjail_listener_path(int listener, const struct cjail_call *call, int argument, char *out, size_t size) {
  char file[64];
  snprintf(file, sizeof file, "/proc/%d/mem", call->pid);
  int memory = open(file, O_RDONLY | O_CLOEXEC);
  if (memory < 0) return -errno;
  ssize_t got = still_waits(listener, call->id);
  if (got == 0) {
    got = pread(memory, out, size, (off_t)call->arguments[argument]);
    if (got < 0) got = -errno;
  }
  close(memory);
  if (got < 0) return got;
  size_t length = strnlen(out, (size_t)got);
  return length < (size_t)got ? (ssize_t)length : -ENAMETOOLONG;
}

ssize_t cjail_listener_directory(int listener, const struct cjail_call *call, int descriptor, char *out, size_t size) {
  char file[64];
  if (descriptor == AT_FDCWD) snprintf(file, sizeof file, "/proc/%d/cwd", call->pid);
  else snprintf(file, sizeof file, "/proc/%d/fd/%d", call->pid, descriptor);
  ssize_t length = readlink(file, out, size);
  if (length < 0) return -errno;
  int gone = still_waits(listener, call->id);
  return gone ? gone : length;
}

ssize_t cjail_receive(int socket, void *bytes, size_t length, int *descriptor) {
  enum { MOST = 4 };
  union {
    char bytes[CMSG_SPACE(sizeof(int) * MOST)];
    struct cmsghdr alignment;
  } control;
  struct iovec part = {bytes, length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  message.msg_control = &control;
  message.msg_controllen = sizeof control;
  *descriptor = -1;
  ssize_t got = recvmsg(socket, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
  if (got < 0) return -errno;
  for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; i++) {
      int received;
      memcpy(&received, CMSG_DATA(header) + i * sizeof(int), sizeof received);
      if (*descriptor < 0) *descriptor = received;
      else close(received);
    }
  }
  return got;
}
