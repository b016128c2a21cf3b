// The floor: 256 bytes over a socketpair to a child and back, with blocking calls. pingpong ROUNDS CPU-HERE CPU-CHILD
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SIZE = 256, WARM = 200 };

static void pin(const char *processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET((size_t)atoi(processor), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) exit(3);
}

static void whole(int fd, char *bytes, ssize_t (*move)(int, char *, size_t)) {
  for (size_t done = 0; done < SIZE;) {
    ssize_t count = move(fd, bytes + done, SIZE - done);
    if (count <= 0) _exit(0);
    done += (size_t)count;
  }
}

static ssize_t take(int fd, char *bytes, size_t size) { return read(fd, bytes, size); }
static ssize_t give(int fd, char *bytes, size_t size) { return write(fd, bytes, size); }

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000L + time.tv_nsec;
}

int main(int argc, char **argv) {
  int ends[2];
  if (argc != 4 || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 2;
  char bytes[SIZE] = {0};
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin(argv[3]);
    close(ends[0]);
    for (;;) {
      whole(ends[1], bytes, take);
      whole(ends[1], bytes, give);
    }
  }
  pin(argv[2]);
  close(ends[1]);
  printf("{\"pingpong\":[");
  for (int round = -WARM, rounds = atoi(argv[1]); round < rounds; round++) {
    long start = now();
    whole(ends[0], bytes, give);
    whole(ends[0], bytes, take);
    long time = now() - start;
    if (round >= 0) printf("%s%ld", round ? "," : "", time);
  }
  printf("]}\n");
  close(ends[0]);
  waitpid(child, NULL, 0);
  return 0;
}
