// Reading what is not the plugin's, writing where it may not, walking out.
#include "attempts.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static int read_some(const char *path) {
  char bytes[64];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  ssize_t count = read(fd, bytes, sizeof bytes);
  int error = count > 0 ? 0 : count == 0 ? ENODATA : errno;
  close(fd);
  return error;
}

int read_etc_passwd(const char *unused) {
  (void)unused;
  return read_some("/etc/passwd");
}

int read_host_home(const char *path) { return path ? read_some(path) : EINVAL; }

int read_proc1_environ(const char *path) { return read_some(path ? path : "/proc/1/environ"); }

int write_outside_tmp(const char *path) {
  const char *const places[] = {path, "/written", "/usr/written", "/dev/written", "/dev/shm/written", "/proc/written"};
  int error = ENOENT;
  for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
    if (!places[i]) continue;
    int fd = open(places[i], O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) {
      if (errno != ENOENT) error = errno;  // a place that exists says more
      continue;
    }
    ssize_t written = write(fd, "x", 1);
    close(fd);
    unlink(places[i]);
    if (written == 1) return 0;
  }
  return error;
}

#define UP "../../../../../../../../../../../../"

// From any directory that can be had: those inherited, and our own.
int directory_escape(const char *unused) {
  (void)unused;
  open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int error = EBADF;
  for (int fd = 0; fd < 1024; fd++) {
    int out = openat(fd, UP "etc/passwd", O_RDONLY | O_CLOEXEC);
    if (out >= 0) return 0;
    if (errno != EBADF && errno != ENOTDIR) error = errno;
  }
  return error;
}

int leaked_descriptor(const char *unused) {
  (void)unused;
  for (int fd = 4; fd < 1024; fd++)
    if (fcntl(fd, F_GETFD) >= 0) return 0;
  return EBADF;
}
