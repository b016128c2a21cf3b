// The one way out of a jail's network namespace: a socket that listens on its own loopback, made while the jail still
// can and handed to the host, which accepts on it. A socket stays in the namespace that it was created in.
#include "jail.h"

#include <linux/if.h>
#include <linux/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

// lo gets its addresses from the kernel as it comes up. No copy of the socket stays in the jail.
int listen_for_host(const struct jail *jail, const struct jail_operation *operation) {
  struct ifreq loopback = {.ifr_name = "lo", .ifr_flags = IFF_UP};
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = __cpu_to_be16((uint16_t)operation->number[0])};
  address.sin_addr.s_addr = __cpu_to_be32(INADDR_LOOPBACK);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  int result = fd < 0 || ioctl(fd, SIOCSIFFLAGS, &loopback) || bind(fd, (struct sockaddr *)&address, sizeof address) ||
               listen(fd, SOMAXCONN) || report_descriptor(jail->report, JAIL_REPORT_PROXY, fd, 0);
  int error = errno;
  if (fd >= 0) close(fd);
  errno = error;
  return result ? -1 : 0;
}

// Landlock has denied every port; this one may be connected to.
int listen_landlock_port(const struct jail *jail, const struct jail_operation *operation) {
  const uint64_t rule[] = {operation->number[1], operation->number[0]};  // struct landlock_net_port_attr
  return (int)syscall(SYS_landlock_add_rule, jail->ruleset, 2 /* LANDLOCK_RULE_NET_PORT */, rule, 0);
}
