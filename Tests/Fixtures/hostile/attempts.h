// What a hostile plugin would try, one function each. Every attempt succeeds for an ordinary program outside a jail;
// the tests run each both ways. A function returns 0 when it got what it wanted, else the errno that stopped it.
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <stddef.h>

struct attempt {
  const char *name;
  int (*run)(const char *argument);  // argument may be NULL
};

extern const struct attempt attempts[];
extern const size_t attempt_count;

// The attempt with this name, or NULL.
const struct attempt *attempt_named(const char *name);

int read_etc_passwd(const char *);
int read_host_home(const char *path);
int read_proc1_environ(const char *path);
int write_outside_tmp(const char *path);
int directory_escape(const char *);
int leaked_descriptor(const char *);
int inet_socket(const char *);
int netlink_socket(const char *);
int vsock_socket(const char *);
int abstract_unix_socket(const char *name);
int trace_process(const char *);
int read_process_memory(const char *);
int new_user_namespace(const char *);
int mount_filesystem(const char *);
int fork_bomb(const char *);
int io_uring(const char *);
int ia32_call(const char *);
int terminal_injection(const char *);
int session_keyring(const char *);
int user_fault(const char *);
int denial_flood(const char *);
int memory_heap(const char *);
int memory_memfd(const char *);
int second_exec(const char *round);
int written_code(const char *);
