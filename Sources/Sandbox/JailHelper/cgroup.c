// Limits on a jail as a whole (cgroups(7)). The launcher's own directories come in argv, never in a plan: up to three
// of v1 and one of v2. In each, a jail gets a numbered one. Limits are set before the child exists; it is born in the
// v2 directory and joins those of v1 itself: writing 0 to `tasks` costs 20 µs, a pid to `cgroup.procs` up to 8 ms.
#include "jail.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

static struct tree {
  const char *argument;
  int directory;
  const char *path;
} trees[CGROUP_TREES] = {
    {"--cgroup-memory", -1, ""}, {"--cgroup-pids", -1, ""}, {"--cgroup-cpu", -1, ""}, {"--cgroup2", -1, ""}};

// A jail that runs, or whose directories could not be removed yet. number 0: free.
static struct slot {
  pid_t pid;
  int report;
  uint32_t number, tries;
} slots[JAIL_MAX_RUNNING];
static uint32_t used_slots, last_number;
static const char *problem;

static const char *name_of(uint32_t number) {
  static char name[16];
  snprintf(name, sizeof name, "%u", number);
  return name;
}

static int open_directory(int at, const char *path) {
  return openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

bool cgroup_argument(const char *name, const char *path) {
  int i = 0;
  while (i < CGROUP_TREES && strcmp(name, trees[i].argument) != 0) i++;
  if (i == CGROUP_TREES || trees[i].path[0] || path[0] != '/') return false;
  trees[i].path = path;
  return true;
}

// What a launcher before this one left is removed like the directories of jails that ended; numbers go on from there.
static void take_over(int directory) {
  DIR *entries = fdopendir(open_directory(directory, "."));
  for (struct dirent *entry; entries && (entry = readdir(entries));) {
    uint32_t i = 0, number = (uint32_t)strtoul(entry->d_name, NULL, 10);
    while (i < used_slots && slots[i].number != number) i++;
    if (number == 0 || i < used_slots || used_slots == JAIL_MAX_RUNNING) continue;
    slots[used_slots++] = (struct slot){.pid = -1, .report = -1, .number = number};
    if (number > last_number) last_number = number;
  }
  if (entries) closedir(entries);
}

bool cgroup_start(void) {
  for (int i = 0; i < CGROUP_TREES; i++) {
    if (!trees[i].path[0]) continue;
    trees[i].directory = open_directory(AT_FDCWD, trees[i].path);
    if (trees[i].directory < 0) return false;
    take_over(trees[i].directory);
  }
  return true;
}

// NULL when the jail enters what the launcher has, and is bounded there; else what is wrong.
const char *cgroup_check(const struct plan *plan) {
  bool some = false;
  for (uint64_t tree = 0; tree < CGROUP_TREES; tree++) {
    bool given = trees[tree].directory >= 0, limited = plan_has(plan, JAIL_CGROUP_LIMIT, tree);
    some = some || given;
    if (limited && !given) return "a limit in a cgroup that this launcher does not have";
    if (given && !limited && tree < CGROUP_CPU) return "memory or processes of the whole jail have no limit";
  }
  return some == plan_has(plan, JAIL_CGROUP, 0) ? NULL : "the jail does not enter its cgroup";
}

static int make_in(struct jail *jail, uint64_t tree, const char *name) {
  problem = trees[tree].path;
  if (mkdirat(trees[tree].directory, name, 0700) != 0 && errno != EEXIST) return -1;  // EEXIST: made ahead
  int directory = open_directory(trees[tree].directory, name), result = directory < 0 ? -1 : 0;
  for (uint32_t i = 0; i < jail->plan.header->operation_count && result == 0; i++) {
    const struct jail_operation *operation = plan_operation(&jail->plan, i);
    if (operation->code != JAIL_CGROUP_LIMIT || operation->number[0] != tree) continue;
    problem = operation_text(operation);
    result = write_text(directory, problem, operation_second_text(operation));
    if (result != 0 && errno == ENOENT && operation->flags & JAIL_OPERATION_OPTIONAL) result = 0;
  }
  jail->cgroups[tree] = directory;
  if (tree == CGROUP_V2 || result != 0) return result;
  jail->cgroups[tree] = openat(directory, "tasks", O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  int error = errno;
  close(directory);
  errno = error;
  return jail->cgroups[tree] < 0 ? -1 : 0;
}

// Takes a slot and makes the directories with their limits. NULL, or what failed with errno; cgroup_launched must
// follow in both cases.
const char *cgroup_make(struct jail *jail) {
  problem = "a place among the running jails";
  jail->slot = 0;
  while (jail->slot < used_slots && slots[jail->slot].number != 0) jail->slot++;
  int report = jail->slot < JAIL_MAX_RUNNING ? fcntl(jail->report, F_DUPFD_CLOEXEC, FIRST_RECEIVED_FD) : -1;
  if (report < 0) return problem;
  if (jail->slot == used_slots) used_slots++;
  if (++last_number == 0) last_number = 1;
  slots[jail->slot] = (struct slot){.report = report, .number = last_number};
  for (uint64_t tree = 0; tree < CGROUP_TREES; tree++) {
    bool wanted = tree == CGROUP_V2 || plan_has(&jail->plan, JAIL_CGROUP_LIMIT, tree);
    if (wanted && trees[tree].directory >= 0 && make_in(jail, tree, name_of(last_number)) != 0) return problem;
  }
  return NULL;
}

// pid: of init, or -1 when there is none. The directories are then removed like those of a jail that ended.
void cgroup_launched(struct jail *jail, pid_t pid) {
  int error = errno;
  for (int tree = 0; tree < CGROUP_TREES; tree++)
    if (jail->cgroups[tree] >= 0) close(jail->cgroups[tree]);
  struct slot *slot = jail->slot < used_slots ? &slots[jail->slot] : NULL;
  if (slot) slot->pid = pid;
  if (slot && pid < 0) close(slot->report);
  errno = error;
}

int cgroup_join(const struct jail *jail) {
  for (int tree = 0; tree < CGROUP_V2; tree++)
    if (jail->cgroups[tree] >= 0 && write(jail->cgroups[tree], "0", 1) != 1) return -1;
  return 0;
}

// The number after a word in a file of lines `word number`; 0 where there is none.
static int32_t counter(uint32_t number, int resource, const char *file, const char *word) {
  char path[64], text[1024];
  snprintf(path, sizeof path, "%u/%s", number, file);
  int tree = trees[resource].directory >= 0 ? resource : CGROUP_V2;
  int fd = openat(trees[tree].directory, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  ssize_t length = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
  if (fd >= 0) close(fd);
  text[length < 0 ? 0 : length] = 0;
  size_t size = strlen(word);
  for (const char *line = text; line; line = strchr(line, '\n'), line = line ? line + 1 : NULL)
    if (strncmp(line, word, size) == 0 && line[size] == ' ') return (int32_t)strtol(line + size, NULL, 10);
  return 0;
}

// Init is gone: tells the host which limits the jail met, before the counters go with the directories.
void cgroup_ended(pid_t pid) {
  uint32_t i = 0;
  while (i < used_slots && (slots[i].number == 0 || slots[i].pid != pid)) i++;
  if (i == used_slots) return;
  char path[32];
  snprintf(path, sizeof path, "%u/cgroup.kill", slots[i].number);
  if (trees[CGROUP_V2].directory >= 0) write_text(trees[CGROUP_V2].directory, path, "1");
  const char *memory = trees[CGROUP_MEMORY].directory < 0 ? "memory.events" : "memory.oom_control";
  struct jail_report record = {.kind = JAIL_REPORT_ENDED};
  record.value = counter(slots[i].number, CGROUP_MEMORY, memory, "oom_kill");
  record.error = counter(slots[i].number, CGROUP_PIDS, "pids.events", "max");
  record.status = counter(slots[i].number, CGROUP_CPU, "cpu.stat", "nr_throttled");
  report_send(slots[i].report, &record);
  close(slots[i].report);
  slots[i].pid = -1;
}

static bool remove_in_all(uint32_t number) {
  const char *name = name_of(number);
  bool gone = true;
  for (int tree = 0; tree < CGROUP_TREES; tree++)
    if (trees[tree].directory >= 0 && unlinkat(trees[tree].directory, name, AT_REMOVEDIR) != 0 && errno != ENOENT)
      gone = false;
  return gone;
}

// Directories for the next jail, made while nobody waits; most have no use for the one that bounds the processor.
static void make_ahead(void) {
  static uint32_t made;
  if (made == last_number + 1) return;
  made = last_number + 1;
  for (int tree = 0; tree < CGROUP_TREES; tree++)
    if (trees[tree].directory >= 0 && tree != CGROUP_CPU) mkdirat(trees[tree].directory, name_of(made), 0700);
}

// Removes the directories of jails that ended. The kernel lets go of them late: true when some should be tried again.
bool cgroup_tidy(void) {
  bool again = false;
  make_ahead();
  for (uint32_t i = 0; i < used_slots; i++) {
    if (slots[i].number == 0 || slots[i].pid > 0) continue;
    if (remove_in_all(slots[i].number) || ++slots[i].tries > CGROUP_TRIES) slots[i].number = 0;
    else again = true;
  }
  while (used_slots > 0 && slots[used_slots - 1].number == 0) used_slots--;
  return again;
}

// The launcher ends: its own directories go as well. The host sweeps what is left when it starts again.
void cgroup_end(void) {
  remove_in_all(last_number + 1);
  for (int tree = 0; tree < CGROUP_TREES; tree++)
    if (trees[tree].directory >= 0) rmdir(trees[tree].path);
}
