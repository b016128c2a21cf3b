// The interpreter: one operation after another, in the child, from "the id maps are written" to exec. Each layer is
// reported when its last operation has succeeded; the first failure is reported and ends the process.
#include "jail.h"

#include <linux/keyctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static struct {
  char name[JAIL_LAYER_BYTES];
  char detail[JAIL_DETAIL_BYTES];
  int unavailable;
} layer;

static void fail(const struct jail *jail, uint32_t index, int error, const char *detail) __attribute__((noreturn));
static void fail(const struct jail *jail, uint32_t index, int error, const char *detail) {
  report_flush(jail->report);
  report_failure(jail->report, index, layer.name, error, detail);
  _exit(125);
}

static void finish_layer(uint32_t index) {
  if (!layer.name[0]) return;
  struct jail_report record = {.kind = layer.unavailable ? JAIL_REPORT_UNAVAILABLE : JAIL_REPORT_APPLIED};
  record.operation = index;
  record.error = layer.unavailable;
  report_text(record.layer, sizeof record.layer, layer.name);
  report_text(record.detail, sizeof record.detail, layer.detail);
  report_add(&record);
}

static int begin_layer(const struct jail_operation *operation, uint32_t index) {
  finish_layer(index);
  report_text(layer.name, sizeof layer.name, operation_text(operation));
  report_text(layer.detail, sizeof layer.detail, operation_second_text(operation));
  layer.unavailable = 0;
  return 0;
}

// Joins a new anonymous session keyring; a kernel without keys has none to leak.
static int fresh_keyring(void) {
  if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL, 0, 0, 0) >= 0) return 0;
  return errno == ENOSYS ? 0 : -1;
}

static const struct jail_operation *last_operation(const struct jail *jail) {
  return plan_operation(&jail->plan, jail->plan.header->operation_count - 1);
}

// The first candidate that is there, chosen before the filter, under which exec can be tried once only.
static const char *program;
static void choose_program(const struct jail *jail) {
  const struct jail_operation *operation = last_operation(jail);
  const char *candidate = operation_text(operation);
  program = candidate;
  for (uint64_t i = 0; i < operation->number[0]; i++, candidate += strlen(candidate) + 1) {
    if (access(candidate, X_OK) != 0 && (errno == ENOENT || errno == ENOTDIR)) continue;
    program = candidate;
    if (access(candidate, X_OK) == 0) return;
  }
}

// Init opens the gate once it is hidden and attached, and again, where no filter guards exec, to let the program go.
static void pass_gate(const struct jail *jail) {
  char token;
  if (read(jail->gate, &token, 1) != 1) _exit(125);
}

// Everything is told before anything runs: a host that does not listen any more gets no jail.
static int execute(const struct jail *jail, const struct jail_operation *operation) {
  static char *arguments[JAIL_MAX_STRINGS + 1], *variables[JAIL_MAX_STRINGS + 1];
  char *at = (char *)operation_text(operation);
  for (uint64_t i = 0; i < operation->number[0]; i++) at += strlen(at) + 1;
  for (uint64_t i = 0; i < operation->number[1]; i++, at += strlen(at) + 1) arguments[i] = at;
  for (uint64_t i = 0; i < operation->number[2]; i++, at += strlen(at) + 1) variables[i] = at;
  if (report_flush(jail->report) != 0) _exit(125);
  if (operation->number[3] == 0) {  // else the filter stops it
    if (write(jail->gate, "w", 1) != 1) _exit(125);
    pass_gate(jail);
  }
  if (operation->number[0] == 0)
    return (int)syscall(SYS_execveat, EXECUTABLE_FD, "", arguments, variables, AT_EMPTY_PATH);
  return (int)syscall(SYS_execveat, AT_FDCWD, program, arguments, variables, 0);
}

static int verify(const struct jail *jail, uint32_t index) {
  pass_gate(jail);
  const char *problem = confine_verify(jail);
  if (problem) fail(jail, index, 0, problem);
  choose_program(jail);
  return 0;
}

static int perform_mount(struct jail *jail, const struct jail_operation *operation) {
  switch (operation->code) {
    case JAIL_PRIVATE_MOUNTS: return mount_private();
    case JAIL_OPEN_SOURCE: return mount_open_source(jail, operation);
    case JAIL_ROOT_TMPFS: return mount_root_tmpfs(jail, operation);
    case JAIL_MAKE_DIRECTORY: return mount_make_directory(jail, operation);
    case JAIL_MAKE_LINK: return mount_make_link(jail, operation);
    case JAIL_BIND: return mount_bind(jail, operation);
    case JAIL_MOUNT_TMPFS: return mount_tmpfs(jail, operation);
    case JAIL_MOUNT_PROC: return mount_proc(jail, operation);
    case JAIL_PLACE_SEALED: return mount_place_sealed(jail, operation);
    case JAIL_PIVOT: return mount_pivot(jail);
    case JAIL_READ_ONLY_ROOT: return mount_read_only_root();
    default: errno = EBADRQC; return -1;
  }
}

static int perform(struct jail *jail, const struct jail_operation *operation, uint32_t index) {
  const char *text = operation_text(operation);
  switch (operation->code) {
    case JAIL_LAYER: return begin_layer(operation, index);
    case JAIL_SET_IDS: return confine_set_ids(jail, operation);
    case JAIL_DIE_WITH_LAUNCHER: return confine_die_with_launcher(jail);
    case JAIL_NO_USER_NAMESPACES: return confine_own_counts();
    case JAIL_NO_MEMFD_PROGRAMS: return write_text(AT_FDCWD, "/proc/sys/vm/memfd_noexec", "2");
    case JAIL_CGROUP_LIMIT: return 0;  // done by the launcher
    case JAIL_CGROUP: return cgroup_join(jail);
    case JAIL_CGROUP_NAMESPACE: return (int)syscall(SYS_unshare, CLONE_NEWCGROUP);
    case JAIL_SET_HOSTNAME: return sethostname(text, strlen(text));
    case JAIL_NO_NEW_PRIVILEGES: return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    case JAIL_NO_NEW_CODE: return prctl(65 /* PR_SET_MDWE, Linux 6.3 */, 1, 0, 0, 0);
    case JAIL_FRESH_KEYRING: return fresh_keyring();
    case JAIL_LIMIT: return confine_limit(operation);
    case JAIL_DROP_CAPABILITIES: return confine_drop_capabilities();
    case JAIL_SPECULATION: return confine_speculation(operation);
    case JAIL_SCHEDULE_APART: return confine_schedule_apart();
    case JAIL_LANDLOCK: return confine_landlock(jail, operation);
    case JAIL_LANDLOCK_ALLOW: return confine_landlock_allow(jail, operation);
    case JAIL_LANDLOCK_ENFORCE: return confine_landlock_enforce(jail, operation);
    case JAIL_LISTENER: return listen_for_host(jail, operation);
    case JAIL_LANDLOCK_PORT: return listen_landlock_port(jail, operation);
    case JAIL_HIDE_INIT: return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    case JAIL_NEW_SESSION: return setsid() < 0 ? -1 : 0;
    case JAIL_RESET_SIGNALS: return confine_reset_signals();
    case JAIL_WORKING_DIRECTORY: return chdir(text);
    case JAIL_DESCRIPTORS: return confine_descriptors(jail);
    case JAIL_VERIFY: return verify(jail, index);
    case JAIL_FILTER: return confine_filter(operation, jail->report);
    case JAIL_EXECUTE: return execute(jail, operation);
    default: return perform_mount(jail, operation);
  }
}

// What to show for an operation that failed: its text, unless that is a program.
static const char *subject(const struct jail_operation *operation) {
  bool binary = operation->code == JAIL_FORK || operation->code == JAIL_FILTER || operation->data_length == 0;
  return binary ? "" : operation_text(operation);
}

// Splits process 1 from the plugin's, which goes on here. Where the filter guards exec, init must be able to attach:
// for that the copy of the memory is dumpable, init's own is not. Nothing else in the namespace could look, and nothing
// in this memory is worth it.
static void split(struct jail *jail, const struct jail_operation *operation, uint32_t index) {
  int gate[2];
  bool guarded = last_operation(jail)->number[3] == 1;
  init_prepare_signals();
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, gate) != 0) fail(jail, index, errno, "gate");
  if (guarded) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
  pid_t plugin = fork();
  if (plugin < 0) fail(jail, index, errno, "fork");
  jail->gate = gate[plugin ? 0 : 1];
  close(gate[plugin ? 1 : 0]);
  if (plugin == 0) return;
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  report_forget();
  init_main(jail, operation, index, plugin, guarded);
}

static void run(struct jail *jail) __attribute__((noreturn));
static void run(struct jail *jail) {
  uint32_t index = 0;
  for (; index < jail->plan.header->operation_count; index++) {
    const struct jail_operation *operation = plan_operation(&jail->plan, index);
    if (operation->code == JAIL_FORK) {
      split(jail, operation, index);
      continue;
    }
    if (perform(jail, operation, index) == 0) continue;
    if (!(operation->flags & JAIL_OPERATION_OPTIONAL)) fail(jail, index, errno, subject(operation));
    layer.unavailable = errno;
  }
  fail(jail, index, 0, "the plan ended without exec");
}

void jail_run(struct jail *jail) {
  char go;
  report_text(layer.name, sizeof layer.name, "namespaces");
  if (read(jail->go, &go, 1) != 1) _exit(125);
  close(jail->go);
  layer.name[0] = 0;
  run(jail);
}
