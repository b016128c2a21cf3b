// Decides whether a plan may run. The plan comes from nexusd, which parses hostile bytes all day: nothing here
// believes it. A plan that leaves a layer out, maps a forbidden user or mounts from a forbidden place is refused.
#include "jail.h"

// These must all appear, in this order. A plan is a list, and a list is easy to get wrong in one place.
static const uint16_t mandatory[] = {
    JAIL_PRIVATE_MOUNTS, JAIL_SET_IDS,           JAIL_DIE_WITH_LAUNCHER, JAIL_NO_USER_NAMESPACES,
    JAIL_ROOT_TMPFS,     JAIL_PIVOT,             JAIL_READ_ONLY_ROOT,    JAIL_NO_NEW_PRIVILEGES,
    JAIL_DROP_CAPABILITIES, JAIL_HIDE_INIT,      JAIL_FORK,              JAIL_NEW_SESSION,
    JAIL_RESET_SIGNALS,  JAIL_DESCRIPTORS,       JAIL_VERIFY,            JAIL_FILTER,
    JAIL_EXECUTE,
};
#define MANDATORY_COUNT (sizeof mandatory / sizeof mandatory[0])

static const char *const devices[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"};

static const char *const limit_files[] = {
    "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.swappiness", "cpu.cfs_quota_us", "pids.max",
    "memory.max", "memory.swap.max", "memory.oom.group", "cpu.max"};

const struct jail_operation *plan_operation(const struct plan *plan, uint32_t index) {
  return (const struct jail_operation *)(plan->bytes + plan->offsets[index]);
}

const char *operation_text(const struct jail_operation *operation) { return (const char *)(operation + 1); }

// The second of two NUL-ended strings; plan_check has made sure that it is there.
const char *operation_second_text(const struct jail_operation *operation) {
  const char *first = operation_text(operation);
  return first + strlen(first) + 1;
}

static size_t strings_in(const struct jail_operation *operation) {
  const char *data = operation_text(operation);
  size_t count = 0;
  for (uint32_t at = 0; at < operation->data_length; at++) count += data[at] == 0;
  return count;
}

// Absolute, and without "." or ".." or empty parts, so that comparing prefixes means something.
static bool path_is_plain(const char *path) {
  if (path[0] != '/') return false;
  if (path[1] == 0) return true;
  for (const char *at = path; *at == '/';) {
    const char *part = at + 1;
    size_t length = strcspn(part, "/");
    if (length == 0 || (length == 1 && part[0] == '.')) return false;
    if (length == 2 && part[0] == '.' && part[1] == '.') return false;
    at = part + length;
  }
  return true;
}

static bool source_is_allowed(const char *path, const struct mount_roots *roots) {
  for (size_t i = 0; i < sizeof devices / sizeof devices[0]; i++)
    if (strcmp(path, devices[i]) == 0) return true;
  for (size_t i = 0; i < roots->count; i++) {
    const char *root = roots->paths[i];
    size_t length = strlen(root);
    if (strcmp(root, "/") == 0) return true;
    if (strncmp(path, root, length) == 0 && (path[length] == 0 || path[length] == '/')) return true;
  }
  return false;
}

static const char *check_execute(const struct jail_operation *operation) {
  uint64_t total = 0;
  for (int i = 0; i < 3; i++) {
    if (operation->number[i] > JAIL_MAX_STRINGS) return "too many arguments or variables";
    total += operation->number[i];
  }
  if (operation->number[1] == 0) return "no arguments";
  if (operation->number[3] > 1) return "unknown way to execute";
  return strings_in(operation) == total ? NULL : "arguments do not add up";
}

static const char *check_filter(const struct jail_operation *operation) {
  uint32_t size = 8;  // sizeof (struct sock_filter)
  uint32_t count = operation->data_length / size;
  bool fits = operation->data_length % size == 0 && count > 0 && count <= JAIL_MAX_FILTER_INSTRUCTIONS;
  return fits ? NULL : "filter has a wrong size";
}

// How many NUL-ended strings an operation carries; -1 when its data is not made of strings.
static int strings_expected(uint16_t code) {
  switch (code) {
    case JAIL_LAYER:
    case JAIL_MAKE_LINK:
    case JAIL_CGROUP_LIMIT:
      return 2;
    case JAIL_OPEN_SOURCE:
    case JAIL_MAKE_DIRECTORY:
    case JAIL_BIND:
    case JAIL_MOUNT_TMPFS:
    case JAIL_MOUNT_PROC:
    case JAIL_SET_HOSTNAME:
    case JAIL_LANDLOCK_ALLOW:
    case JAIL_WORKING_DIRECTORY:
    case JAIL_PLACE_SEALED:
      return 1;
    case JAIL_FORK:
    case JAIL_FILTER:
    case JAIL_EXECUTE:
      return -1;
    default:
      return 0;
  }
}

static const char *check_data(const struct jail_operation *operation, const struct mount_roots *roots) {
  const char *text = operation_text(operation);
  if (operation->code == JAIL_FORK || operation->code == JAIL_FILTER) return check_filter(operation);
  if (operation->data_length > 0 && text[operation->data_length - 1] != 0) return "text without an end";
  if (operation->code == JAIL_EXECUTE) return check_execute(operation);
  if (strings_in(operation) != (size_t)strings_expected(operation->code)) return "wrong number of texts";
  switch (operation->code) {
    case JAIL_OPEN_SOURCE:
      if (operation->number[0] >= JAIL_MAX_SOURCES) return "source slot out of range";
      if (!path_is_plain(text)) return "mount source is not a plain absolute path";
      return source_is_allowed(text, roots) ? NULL : "mount source is outside the allowed roots";
    case JAIL_SET_IDS:
      return geteuid() == 0 && operation->number[0] != 1 ? "groups are not cleared" : NULL;
    case JAIL_CGROUP_LIMIT:
      for (size_t i = 0; i < sizeof limit_files / sizeof limit_files[0]; i++)
        if (strcmp(text, limit_files[i]) == 0 && operation->number[0] < CGROUP_TREES) return NULL;
      return "not a file for a limit";
    case JAIL_LISTENER:
    case JAIL_LANDLOCK_PORT:
      return operation->number[0] >> 10 && operation->number[0] < 65536 ? NULL : "port of the proxy out of range";
    case JAIL_BIND:
      if (operation->number[0] >= JAIL_MAX_SOURCES) return "source slot out of range";
      return path_is_plain(text) ? NULL : "path in the jail is not plain";
    case JAIL_MAKE_LINK:
      return path_is_plain(operation_second_text(operation)) ? NULL : "path in the jail is not plain";
    case JAIL_MAKE_DIRECTORY:
    case JAIL_MOUNT_TMPFS:
    case JAIL_MOUNT_PROC:
    case JAIL_LANDLOCK_ALLOW:
    case JAIL_WORKING_DIRECTORY:
    case JAIL_PLACE_SEALED:
      return path_is_plain(text) ? NULL : "path in the jail is not plain";
    default:
      return NULL;
  }
}

// An operation that must be there, or must not run in this half, is found out before anything is done.
static const char *check_order(const struct plan *plan, uint32_t count) {
  size_t next = 0, forks = 0, executes = 0, cgroups = 0, ids = 0;
  for (uint32_t i = 0; i < count; i++) {
    const struct jail_operation *operation = plan_operation(plan, i);
    forks += operation->code == JAIL_FORK;
    executes += operation->code == JAIL_EXECUTE;
    cgroups += operation->code == JAIL_CGROUP;
    ids += operation->code == JAIL_SET_IDS;
    bool makes = operation->code >= JAIL_ROOT_TMPFS && operation->code <= JAIL_MOUNT_PROC;
    makes |= operation->code == JAIL_PLACE_SEALED;
    if (makes && ids == 0) return "files are made before the user is the jail's";
    if (operation->code == JAIL_CGROUP && (next > 0 || cgroups > 1 || operation->flags)) return "limits out of order";
    if (next >= MANDATORY_COUNT || operation->code != mandatory[next]) continue;
    if (operation->flags & JAIL_OPERATION_OPTIONAL) return "a mandatory operation is marked optional";
    next++;
  }
  if (next != MANDATORY_COUNT || forks != 1 || executes != 1) return "a mandatory layer is missing or out of order";
  return plan_operation(plan, count - 1)->code == JAIL_EXECUTE ? NULL : "the plan does not end with exec";
}

// NULL when the plan may run, else what is wrong with it. Fills plan->offsets.
const char *plan_check(struct plan *plan, const unsigned char *bytes, size_t length, const struct mount_roots *roots) {
  const struct jail_plan_header *header = (const struct jail_plan_header *)bytes;
  if (length < sizeof *header || header->magic != JAIL_PLAN_MAGIC) return "not a plan";
  if (header->version != JAIL_FORMAT_VERSION) return "plan is of another version";
  if (header->length != length) return "plan length does not match";
  if (header->operation_count == 0 || header->operation_count > JAIL_PLAN_MAX_OPERATIONS) return "operation count";
  plan->header = header;
  plan->bytes = bytes;
  size_t at = sizeof *header;
  for (uint32_t i = 0; i < header->operation_count; i++) {
    if (length - at < sizeof(struct jail_operation)) return "plan ends inside an operation";
    const struct jail_operation *operation = (const struct jail_operation *)(bytes + at);
    size_t room = length - at - sizeof *operation;
    size_t padded = ((size_t)operation->data_length + 7) & ~(size_t)7;
    if (padded > room) return "plan ends inside an operation";
    if (operation->code < JAIL_LAYER || operation->code >= JAIL_CODE_END) return "unknown operation";
    if (operation->flags & ~JAIL_OPERATION_OPTIONAL) return "unknown operation flags";
    const char *problem = check_data(operation, roots);
    if (problem) return problem;
    plan->offsets[i] = (uint32_t)at;
    plan->listens |= operation->code == JAIL_LISTENER;
    at += sizeof *operation + padded;
  }
  if (at != length) return "bytes after the last operation";
  return check_order(plan, header->operation_count);
}

static bool outer_id_is_allowed(uint32_t id) {
  return id >= JAIL_OUTER_ID_FIRST && id - JAIL_OUTER_ID_FIRST < JAIL_OUTER_ID_COUNT;
}

// Root gives jails ids from its own range only; an ordinary user can give nothing but its own.
const char *plan_check_ids(const struct plan *plan) {
  const struct jail_plan_header *header = plan->header;
  if (header->inner_uid == 0 || header->inner_gid == 0) return "inner uid or gid 0 is refused";
  if (geteuid() == 0) {
    if (!outer_id_is_allowed(header->outer_uid)) return "outer uid is outside the range for jails";
    if (!outer_id_is_allowed(header->outer_gid)) return "outer gid is outside the range for jails";
    return NULL;
  }
  if (header->outer_uid != geteuid()) return "outer uid is not the launcher's own";
  return header->outer_gid == getegid() ? NULL : "outer gid is not the launcher's own";
}

bool plan_has(const struct plan *plan, uint16_t code, uint64_t first_number) {
  for (uint32_t i = 0; i < plan->header->operation_count; i++) {
    const struct jail_operation *operation = plan_operation(plan, i);
    if (operation->code == code && operation->number[0] == first_number) return true;
  }
  return false;
}
