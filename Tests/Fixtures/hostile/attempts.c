#include "attempts.h"

#include <string.h>

const struct attempt attempts[] = {
    {"read-etc-passwd", read_etc_passwd},
    {"read-host-home", read_host_home},
    {"read-proc1-environ", read_proc1_environ},
    {"write-outside-tmp", write_outside_tmp},
    {"directory-escape", directory_escape},
    {"leaked-descriptor", leaked_descriptor},
    {"inet-socket", inet_socket},
    {"netlink-socket", netlink_socket},
    {"vsock-socket", vsock_socket},
    {"abstract-unix-socket", abstract_unix_socket},
    {"ptrace", trace_process},
    {"process-vm-readv", read_process_memory},
    {"new-user-namespace", new_user_namespace},
    {"mount", mount_filesystem},
    {"fork-bomb", fork_bomb},
    {"io-uring", io_uring},
    {"ia32-call", ia32_call},
    {"terminal-injection", terminal_injection},
    {"keyctl", session_keyring},
    {"userfaultfd", user_fault},
    {"denial-flood", denial_flood},
    {"memory-heap", memory_heap},
    {"memory-memfd", memory_memfd},
    {"second-exec", second_exec},
    {"written-code", written_code},
};
const size_t attempt_count = sizeof attempts / sizeof attempts[0];

const struct attempt *attempt_named(const char *name) {
  for (size_t i = 0; i < attempt_count; i++)
    if (strcmp(attempts[i].name, name) == 0) return &attempts[i];
  return NULL;
}
