// Kernel interfaces that Debian 12's glibc and headers (Linux 6.1) lack or wrap in a way that does not fit.
// Numbers are the same on x86-64 and arm64 (asm-generic, from 424 on).
#pragma once
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef AT_RECURSIVE
#define AT_RECURSIVE 0x8000
#endif
#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif

// linux/landlock.h of the newest kernel that we know; older kernels take the longer struct if its tail is zero.
struct landlock_ruleset {
  uint64_t file_rights, network_rights, scopes;
};
struct landlock_path {
  uint64_t rights;
  int32_t parent;
} __attribute__((packed));
#define LANDLOCK_PATH_BENEATH 1
// The rights that mean something for a file that is not a directory: execute, write, read, truncate, ioctl.
#define LANDLOCK_ANY_FILE_RIGHTS ((1u << 0) | (1u << 1) | (1u << 2) | (1u << 14) | (1u << 15))

static inline long kernel_openat2(int directory, const char *path, uint64_t flags, uint64_t resolve) {
  struct open_how how = {.flags = flags, .resolve = resolve};
  return syscall(SYS_openat2, directory, path, &how, sizeof how);
}
