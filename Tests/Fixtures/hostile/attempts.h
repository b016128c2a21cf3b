// What a hostile plugin would try: one attempt a file, listed in attempts.c. Each succeeds for an ordinary program
// outside a jail; the tests run each both ways. An attempt returns 0 when it got what it wanted, else the errno that
// stopped it.
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

struct attempt {
  const char *name;
  int (*run)(const char *argument);  // argument may be NULL
};

extern const struct attempt attempts[];
extern const size_t attempt_count;

// The attempt with this name, or NULL.
const struct attempt *attempt_named(const char *name);

// `argument` comes from the test and may be NULL.
#define ATTEMPT(name) int attempt_##name(const char *argument __attribute__((unused)))

// The result of a call that gives 0 or more when it works.
static inline int outcome(long result) { return result >= 0 ? 0 : errno; }

// 0 also where the kernel got to look at what was asked, and only then found this machine or this descriptor lacking.
static inline int reached(long result, int answer) { return result >= 0 || errno == answer ? 0 : errno; }

static inline int read_some(const char *path) {
  char bytes[64];
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  ssize_t count = read(fd, bytes, sizeof bytes);
  int error = count > 0 ? 0 : count == 0 ? ENODATA : errno;
  close(fd);
  return error;
}

// A gigabyte, in the pieces that attempts on memory take.
enum { CHUNK = 16 << 20, CHUNKS = 64 };

// copies.c: this very program's bytes, and what it does when it was executed from there.
int copy_program(int to);
extern char *executed_arguments[];
