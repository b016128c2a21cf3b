// Name and function of every attempt; each is in the file of its name.
#include "attempts.h"

#define ATTEMPTS(each) \
  each("read-etc-passwd", read_etc_passwd) \
  each("read-host-home", read_host_home) \
  each("read-proc1-environ", read_proc1_environ) \
  each("proc-root", proc_root) \
  each("write-outside-tmp", write_outside_tmp) \
  each("directory-escape", directory_escape) \
  each("leaked-descriptor", leaked_descriptor) \
  each("file-handle", file_handle) \
  each("chroot", chroot) \
  each("mount", mount) \
  each("inet-socket", inet_socket) \
  each("netlink-socket", netlink_socket) \
  each("vsock-socket", vsock_socket) \
  each("socket-filter", socket_filter) \
  each("any-socket", any_socket) \
  each("abstract-unix-socket", abstract_unix_socket) \
  each("ptrace", ptrace) \
  each("process-vm-readv", process_vm_readv) \
  each("kcmp", kcmp) \
  each("pidfd-getfd", pidfd_getfd) \
  each("signal-foreign", signal_foreign) \
  each("new-user-namespace", new_user_namespace) \
  each("clone-namespaces", clone_namespaces) \
  each("clone3-namespaces", clone3_namespaces) \
  each("setns", setns) \
  each("fork-bomb", fork_bomb) \
  each("io-uring", io_uring) \
  each("ia32-call", ia32_call) \
  each("x32-call", x32_call) \
  each("terminal-injection", terminal_injection) \
  each("terminal-selection", terminal_selection) \
  each("keyctl", keyctl) \
  each("add-key", add_key) \
  each("userfaultfd", userfaultfd) \
  each("own-listener", own_listener) \
  each("denial-flood", denial_flood) \
  each("personality", personality) \
  each("core-dump", core_dump) \
  each("memfd-exec", memfd_exec) \
  each("exec-from-tmp", exec_from_tmp) \
  each("memory-heap", memory_heap) \
  each("memory-memfd", memory_memfd) \
  each("memory-shared", memory_shared) \
  each("second-exec", second_exec) \
  each("written-code", written_code) \
  each("tcp-reconnect", tcp_reconnect) \
  each("tcp-fast-open", tcp_fast_open) \
  each("tcp-fast-open-message", tcp_fast_open_message) \
  each("tcp-listen", tcp_listen) \
  each("tcp-interfaces", tcp_interfaces) \
  each("tcp-option", tcp_option) \
  each("tcp-own-address", tcp_own_address) \
  each("tcp-error-queue", tcp_error_queue)

#define DECLARE(name, function) ATTEMPT(function);
ATTEMPTS(DECLARE)

#define ROW(name, function) {name, attempt_##function},
const struct attempt attempts[] = {ATTEMPTS(ROW)};
const size_t attempt_count = sizeof attempts / sizeof attempts[0];

const struct attempt *attempt_named(const char *name) {
  for (size_t i = 0; i < attempt_count; i++)
    if (strcmp(attempts[i].name, name) == 0) return &attempts[i];
  return NULL;
}
