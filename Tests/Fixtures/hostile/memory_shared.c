// A gigabyte in shared segments, each let go of again: they stay, and no rlimit counts them.
#include "attempts.h"

#include <sys/ipc.h>
#include <sys/shm.h>

ATTEMPT(memory_shared) {
  int made[CHUNKS], count = 0, error = 0;
  while (count < CHUNKS && error == 0) {
    int id = shmget(IPC_PRIVATE, CHUNK, IPC_CREAT | 0600);
    char *chunk = id < 0 ? NULL : shmat(id, NULL, 0);
    if (id >= 0) made[count++] = id;
    if (!chunk || chunk == (char *)-1) error = errno;
    else memset(chunk, 1, CHUNK), shmdt(chunk);
  }
  for (int i = 0; i < count; i++) shmctl(made[i], IPC_RMID, NULL);
  return error;
}
