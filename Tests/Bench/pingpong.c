// The floor: 256 bytes over a socketpair to a child and as many, or ANSWER-BYTES, back, with blocking calls.
// pingpong ROUNDS CPU-HERE CPU-CHILD [ANSWER-BYTES]
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

enum { SIZE = 256, WARM = 200, LARGEST = 1 << 20 };

static char bytes[LARGEST];

static void pin(const char *processor) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET((size_t)atoi(processor), &set);
  if (sched_setaffinity(0, sizeof set, &set) != 0) exit(3);
}

static void whole(int fd, size_t size, ssize_t (*move)(int, char *, size_t)) {
  for (size_t done = 0; done < size;) {
    ssize_t count = move(fd, bytes + done, size - done);
    if (count <= 0) _exit(0);
    done += (size_t)count;
  }
}

static ssize_t take(int fd, char *start, size_t size) { return read(fd, start, size); }
static ssize_t give(int fd, char *start, size_t size) { return write(fd, start, size); }

static long now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return time.tv_sec * 1000000000L + time.tv_nsec;
}

int main(int argc, char **argv) {
  int ends[2];
  const size_t answer = argc == 5 ? (size_t)atoi(argv[4]) : SIZE;
  if (argc < 4 || argc > 5 || answer > LARGEST || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0) return 2;
  pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    pin(argv[3]);
    close(ends[0]);
    for (;;) {
      whole(ends[1], SIZE, take);
      whole(ends[1], answer, give);
    }
  }
  pin(argv[2]);
  close(ends[1]);
  printf("{\"pingpong\":[");
  for (int round = -WARM, rounds = atoi(argv[1]); round < rounds; round++) {
    long start = now();
    whole(ends[0], SIZE, give);
    whole(ends[0], answer, take);
    long time = now() - start;
    if (round >= 0) printf("%s%ld", round ? "," : "", time);
  }
  printf("]}\n");
  close(ends[0]);
  waitpid(child, NULL, 0);
  return 0;
}
