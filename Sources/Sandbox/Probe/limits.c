// Amounts. Each act takes more than a small jail may have and less than a machine would notice, and gives it back.
#include "probe.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { MANY_THREADS = 400, MANY_DESCRIPTORS = 5000, MANY_FILES = 9000, FILL_FILES = 16, FILL_BYTES = 8 << 20 };

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void *wait_for_gate(void *unused) {
  pthread_mutex_lock(&gate);
  pthread_mutex_unlock(&gate);
  return unused;
}

static int many_threads(const struct act *act) {
  static pthread_t threads[MANY_THREADS];
  pthread_attr_t small;
  int made = 0, problem = 0;
  (void)act;
  pthread_attr_init(&small);
  pthread_attr_setstacksize(&small, 65536);
  pthread_mutex_lock(&gate);
  while (made < MANY_THREADS && (problem = pthread_create(&threads[made], &small, wait_for_gate, NULL)) == 0) made++;
  pthread_mutex_unlock(&gate);
  for (int i = 0; i < made; i++) pthread_join(threads[i], NULL);
  return problem;
}

// Children that wait for the end of a pipe.
static int many_processes(const struct act *act) {
  int ends[2], made = 0, problem = 0;
  pid_t child = 0;
  (void)act;
  if (pipe(ends) != 0) return errno;
  while (made < MANY_THREADS && (child = fork()) > 0) made++;
  if (child < 0) problem = errno;
  if (child == 0) {
    char byte;
    close(ends[1]);
    _exit(read(ends[0], &byte, 1) != 0);
  }
  close(ends[0]);
  close(ends[1]);
  for (int i = 0; i < made; i++) waitpid(-1, NULL, 0);
  return problem;
}

static int many_descriptors(const struct act *act) {
  struct rlimit limit;
  int made = 0, problem = 0, fd;
  (void)act;
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
  static int held[MANY_DESCRIPTORS];
  while (made < MANY_DESCRIPTORS && (fd = dup(0)) >= 0) held[made++] = fd;
  if (made < MANY_DESCRIPTORS) problem = errno;
  for (int i = 0; i < made; i++) close(held[i]);
  return problem;
}

// Writes `count` files of `bytes` each to a folder of its own, and removes them.
static int fill(int count, size_t bytes) {
  static char block[1 << 16];
  char folder[64], path[96];
  int made = 0, problem = 0;
  snprintf(folder, sizeof folder, "/tmp/nexus-probe-%d", (int)getpid());
  if (mkdir(folder, 0700) != 0) return errno;
  for (; made < count && !problem; made++) {
    snprintf(path, sizeof path, "%s/%d", folder, made);
    int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0) {
      problem = errno;
      break;
    }
    for (size_t at = 0; at < bytes && !problem; at += sizeof block)
      if (write(fd, block, sizeof block) < 0) problem = errno;
    close(fd);
  }
  for (int i = 0; i <= made; i++) {
    snprintf(path, sizeof path, "%s/%d", folder, i);
    unlink(path);
  }
  rmdir(folder);
  return problem;
}

static int fill_bytes(const struct act *act) {
  (void)act;
  return fill(FILL_FILES, FILL_BYTES);
}

static int fill_files(const struct act *act) {
  (void)act;
  return fill(MANY_FILES, 0);
}

// A large file with a hole: takes no room.
static int large_file(const struct act *act) {
  char path[64];
  (void)act;
  snprintf(path, sizeof path, "/tmp/nexus-probe-%d", (int)getpid());
  int fd = open(path, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  if (fd < 0) return errno;
  int problem = ftruncate(fd, 1L << 30) == 0 ? 0 : errno;
  close(fd);
  unlink(path);
  return problem;
}

static int lock_memory(const struct act *act) {
  static char page[8192] __attribute__((aligned(4096)));
  (void)act;
  int result = mlock(page, sizeof page) == 0 ? 0 : errno;
  if (result == 0) munlock(page, sizeof page);
  return result;
}

static int leave_core(const struct act *act) {
  struct rlimit limit;
  (void)act;
  if (getrlimit(RLIMIT_CORE, &limit) != 0) return errno;
  return limit.rlim_max == 0 ? EPERM : 0;
}

static const struct act limits[] = {
    {"many-threads", "limits", many_threads, NULL, {0}, false},
    {"many-processes", "seccomp, limits", many_processes, NULL, {0}, false},
    {"many-descriptors", "limits", many_descriptors, NULL, {0}, false},
    {"many-bytes-in-tmp", "files: size of /tmp", fill_bytes, NULL, {0}, false},
    {"many-files-in-tmp", "files: inodes of /tmp", fill_files, NULL, {0}, false},
    {"large-file", "limits", large_file, NULL, {0}, false},
    {"locked-memory", "limits", lock_memory, NULL, {0}, false},
    {"core-file", "limits", leave_core, NULL, {0}, false},
};
const struct group group_limits = GROUP("limits", limits);
