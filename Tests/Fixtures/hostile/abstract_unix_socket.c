// A listener of the host that has a name and no file.
#include "attempts.h"

#include <sys/socket.h>
#include <sys/un.h>

ATTEMPT(abstract_unix_socket) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (!argument || strlen(argument) + 1 > sizeof address.sun_path) return EINVAL;
  memcpy(address.sun_path + 1, argument, strlen(argument));
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(argument));
  int error = outcome(connect(fd, (struct sockaddr *)&address, length));
  close(fd);
  return error;
}
