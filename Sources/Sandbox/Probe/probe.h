// nexus-sandbox-probe: tries to get out of wherever it runs, in about two hundred ways, and says of each whether it was
// held. It must be safe to run on a bare machine as root, where nothing holds it: an act asks with arguments that the
// kernel refuses for another reason than policy (EFAULT, EBADF, EINVAL), opens without writing, or undoes what it did;
// none changes the machine.
#pragma once
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

struct act {
  const char *name;
  const char *layer;  // what is expected to hold it in our own jail
  // The errno that held it; 0 when it got what it wanted; a negative errno when the kernel looked at the request.
  int (*run)(const struct act *act);
  const char *path;
  unsigned long number[7];  // a system call and its arguments, or whatever `run` makes of them
  bool deadly;              // being held can end the process: done in a process, or a jail, of its own
};

struct group {
  const char *name;
  const struct act *acts;
  size_t count;
};
#define GROUP(title, table) {title, table, sizeof table / sizeof table[0]}

extern const struct group group_kernel, group_mounts, group_machine, group_namespaces, group_sockets, group_processes,
    group_proc, group_files, group_devices, group_memory, group_limits, group_identity;

// What the answer of the kernel means: policy answers EPERM, EACCES or ENOSYS; everything else was decided later.
int refused_by_policy(long result);
// Makes the call that the act names.
int try_call(const struct act *act);
// Opens the act's path with flags number[0].
int try_open(const struct act *act);
