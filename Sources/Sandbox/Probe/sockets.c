// Families of sockets. A network namespace of its own does not hold all of them: AF_VSOCK reaches the hypervisor.
#include "probe.h"

#include <sys/socket.h>

static int try_family(int family) {
  static const int kinds[] = {SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_RAW};
  int held = 0;
  for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
    int fd = socket(family, kinds[i] | SOCK_CLOEXEC, 0);
    if (fd < 0) {
      if (!held || errno == EPERM || errno == ENOSYS) held = errno;
      continue;
    }
    close(fd);
    return 0;
  }
  return held;
}

static int one_family(const struct act *act) { return try_family((int)act->number[0]); }

// Families that have no line of their own, and a few numbers beyond the last that is known.
static int other_families(const struct act *act) {
  static const int named[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK, AF_PACKET, AF_ALG, AF_VSOCK, AF_BLUETOOTH,
                              AF_CAN,  AF_TIPC, AF_KCM,   AF_QIPCRTR, AF_SMC,    AF_XDP, AF_RDS,   AF_NFC};
  int held = EAFNOSUPPORT;
  (void)act;
  for (int family = 0; family <= 50; family++) {
    bool is_named = false;
    for (size_t i = 0; i < sizeof named / sizeof named[0]; i++) is_named = is_named || named[i] == family;
    if (is_named) continue;
    held = try_family(family);
    if (held == 0) return 0;
  }
  return held;
}

// The kernel reads 32 bits of the family; a filter that compares 64 can be talked past.
static int wide_family(const struct act *act) {
  long fd = syscall(SYS_socket, (1UL << 32) | act->number[0], SOCK_STREAM, 0);
  if (fd < 0) return errno;
  close((int)fd);
  return 0;
}

#define FAMILY(title, family) {"socket-" title, "seccomp", one_family, NULL, {family}, false}
static const struct act sockets[] = {
    FAMILY("unix", AF_UNIX),
    FAMILY("inet", AF_INET),
    FAMILY("inet6", AF_INET6),
    FAMILY("netlink", AF_NETLINK),
    FAMILY("packet", AF_PACKET),
    FAMILY("alg", AF_ALG),
    FAMILY("vsock", AF_VSOCK),
    FAMILY("bluetooth", AF_BLUETOOTH),
    FAMILY("can", AF_CAN),
    FAMILY("tipc", AF_TIPC),
    FAMILY("kcm", AF_KCM),
    FAMILY("qipcrtr", AF_QIPCRTR),
    FAMILY("smc", AF_SMC),
    FAMILY("xdp", AF_XDP),
    FAMILY("rds", AF_RDS),
    FAMILY("nfc", AF_NFC),
    {"socket-others", "seccomp", other_families, NULL, {0}, false},
    {"socket-inet-wide", "seccomp", wide_family, NULL, {AF_INET}, false},
    {"socket-vsock-wide", "seccomp", wide_family, NULL, {AF_VSOCK}, false},
};
const struct group group_sockets = GROUP("sockets", sockets);
