// Files of the machine, of the kernel and of other processes. Everything is opened and nothing written.
#include "probe.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>

// A path that is not there cannot be opened: that holds as well as a refusal.
int try_open(const struct act *act) {
  int fd = open(act->path, (int)act->number[0] | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return errno;
  close(fd);
  return 0;
}

// A file without a name: where it can be made, the place can be written. Some file systems have no such files.
static int try_create(const struct act *act) {
  int fd = open(act->path, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return errno == EOPNOTSUPP ? -errno : errno;
  close(fd);
  return 0;
}

// From above the root of a jail that was only chrooted, ".." leads on.
static int walk_up(const struct act *act) {
  struct stat root, above;
  (void)act;
  if (stat("/", &root) != 0 || stat("../../../../../../../../../../../..", &above) != 0) return errno;
  return root.st_dev == above.st_dev && root.st_ino == above.st_ino ? ENOENT : 0;
}

// A directory's descriptor from outside walks out of any root.
static int walk_out_by_descriptor(const struct act *act) {
  struct stat root, above;
  (void)act;
  if (stat("/", &root) != 0) return errno;
  for (int fd = 0; fd < 1024; fd++) {
    if (fstatat(fd, "../../../../../../../..", &above, 0) != 0) continue;
    if (above.st_dev != root.st_dev || above.st_ino != root.st_ino) return 0;
    return 0;  // even of the same root: no plugin is to hold a directory that it did not open
  }
  return EBADF;
}

// A set-user-id program that would become another user.
static int setuid_program(const struct act *act) {
  static const char *const names[] = {"/usr/bin/su", "/usr/bin/passwd", "/usr/bin/mount", "/usr/bin/newgrp"};
  struct stat info;
  (void)act;
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) return EPERM;
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
    if (stat(names[i], &info) == 0 && (info.st_mode & S_ISUID)) return 0;
  return ENOENT;
}

// The path of its group, which tells of the host's services.
static int see_cgroup(const struct act *act) {
  char line[512];
  FILE *file = fopen("/proc/self/cgroup", "re");
  int found = ENOENT;
  (void)act;
  if (!file) return errno;
  while (fgets(line, sizeof line, file)) {
    const char *path = strstr(line, ":/");
    if (path && strcmp(path, ":/\n") != 0) found = 0;
  }
  fclose(file);
  return found;
}

#define READ(title, held_by, path) {title, held_by, try_open, path, {O_RDONLY}, false}
#define WRITE(title, held_by, path) {title, held_by, try_open, path, {O_WRONLY}, false}

static const struct act proc[] = {
    READ("init-environment", "proc, init not dumpable", "/proc/1/environ"),
    READ("init-memory", "proc, init not dumpable", "/proc/1/mem"),
    READ("init-map", "proc, init not dumpable", "/proc/1/maps"),
    READ("init-root", "proc, init not dumpable", "/proc/1/root/etc"),
    READ("init-directory", "proc, init not dumpable", "/proc/1/cwd/etc"),
    READ("init-descriptors", "proc, init not dumpable", "/proc/1/fd"),
    READ("init-command", "proc", "/proc/1/cmdline"),
    {"own-memory-write", "proc, landlock", try_open, "/proc/self/mem", {O_RDWR}, false},
    WRITE("own-oom-score", "proc, landlock", "/proc/self/oom_score_adj"),
    READ("kernel-memory", "proc", "/proc/kcore"),
    READ("kernel-symbols", "proc", "/proc/kallsyms"),
    READ("kernel-messages", "proc", "/proc/kmsg"),
    READ("kernel-keys", "proc", "/proc/keys"),
    READ("kernel-timers", "proc", "/proc/timer_list"),
    READ("kernel-modules", "proc", "/proc/modules"),
    READ("kernel-configuration", "proc", "/proc/sys"),
    WRITE("magic-key", "proc", "/proc/sysrq-trigger"),
    WRITE("core-pattern", "proc", "/proc/sys/kernel/core_pattern"),
    WRITE("module-path", "proc", "/proc/sys/kernel/modprobe"),
    WRITE("namespace-limit", "proc", "/proc/sys/user/max_user_namespaces"),
    WRITE("binary-formats", "proc", "/proc/sys/fs/binfmt_misc/register"),
    {"cgroup-path", "cgroup namespace", see_cgroup, NULL, {0}, false},
};
const struct group group_proc = GROUP("proc", proc);

static const struct act files[] = {
    READ("users", "files", "/etc/passwd"),
    READ("passwords", "files", "/etc/shadow"),
    READ("home-of-root", "files", "/root"),
    READ("homes", "files", "/home"),
    READ("variable-files", "files", "/var"),
    READ("run-sockets", "files", "/run"),
    READ("kernel-objects", "files", "/sys/kernel"),
    READ("firmware", "files", "/sys/firmware"),
    WRITE("cgroup-v1-write", "files", "/sys/fs/cgroup/memory/tasks"),
    WRITE("cgroup-v1-release-agent", "files", "/sys/fs/cgroup/memory/release_agent"),
    WRITE("cgroup-v2-write", "files", "/sys/fs/cgroup/cgroup.procs"),
    WRITE("cgroup-hybrid-write", "files", "/sys/fs/cgroup/unified/cgroup.procs"),
    {"root-write", "files, landlock", try_create, "/", {0}, false},
    {"programs-write", "files, landlock", try_create, "/usr/bin", {0}, false},
    {"shared-memory-write", "files, landlock", try_create, "/dev/shm", {0}, false},
    {"walk-up", "pivot-root", walk_up, NULL, {0}, false},
    {"walk-out-by-descriptor", "descriptors", walk_out_by_descriptor, NULL, {0}, false},
    {"setuid-program", "no-new-privileges, nosuid", setuid_program, NULL, {0}, false},
};
const struct group group_files = GROUP("files", files);

static const struct act devices[] = {
    READ("device-kvm", "files", "/dev/kvm"),
    READ("device-vsock", "files", "/dev/vsock"),
    READ("device-fuse", "files", "/dev/fuse"),
    READ("device-tun", "files", "/dev/net/tun"),
    READ("device-kernel-messages", "files", "/dev/kmsg"),
    READ("device-memory", "files", "/dev/mem"),
    READ("device-disk-virtual", "files", "/dev/vda"),
    READ("device-disk", "files", "/dev/sda"),
    READ("device-loop", "files", "/dev/loop-control"),
    READ("device-terminals", "files", "/dev/ptmx"),
    READ("device-console", "files", "/dev/console"),
};
const struct group group_devices = GROUP("devices", devices);
