// Bounded: it wants 300 processes at once, and always takes back those that it got.
#include "attempts.h"

#include <signal.h>
#include <sys/wait.h>

enum { BOMB = 300 };

ATTEMPT(fork_bomb) {
  pid_t made[BOMB];
  int count = 0, error = 0;
  while (count < BOMB && error == 0) {
    pid_t pid = fork();
    if (pid == 0) {
      pause();
      _exit(0);
    }
    if (pid < 0) error = errno;
    else made[count++] = pid;
  }
  for (int i = 0; i < count; i++) kill(made[i], SIGKILL);
  for (int i = 0; i < count; i++) waitpid(made[i], NULL, 0);
  return error;
}
