// Ways out of the machine, and to other programs on it.
#include "attempts.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int can_make(int family, int type) {
  int fd = socket(family, type | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

int inet_socket(const char *unused) {
  (void)unused;
  int error = can_make(AF_INET, SOCK_STREAM);
  return error ? can_make(AF_INET6, SOCK_DGRAM) : 0;
}

int netlink_socket(const char *unused) {
  (void)unused;
  return can_make(AF_NETLINK, SOCK_RAW);
}

int vsock_socket(const char *unused) {
  (void)unused;
  return can_make(AF_VSOCK, SOCK_STREAM);
}

int abstract_unix_socket(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (!name || strlen(name) + 1 > sizeof address.sun_path) return EINVAL;
  memcpy(address.sun_path + 1, name, strlen(name));
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name));
  int error = connect(fd, (struct sockaddr *)&address, length) == 0 ? 0 : errno;
  close(fd);
  return error;
}
