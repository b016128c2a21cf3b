// nexus-jail: the only code between clone and exec. Single-threaded, static, no environment, no configuration but
// argv. keeper.c starts main.c, which receives requests, plan.c decides whether one may run, network.c has namespaces
// ready, jail.c interprets the plan in the child, mounts.c and confine.c do the work, init.c is pid 1 of each jail.
#pragma once
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "../CJail/include/plan_format.h"
#include "kernel.h"

// Descriptors below this are held by the launcher from its start, so that nothing received can land on them and
// the plugin's 0 to 3 can be put in place without overwriting a descriptor that is still needed.
#define FIRST_RECEIVED_FD 10
#define CONTROL_FD 3
#define CHANNEL_FD 3
#define REPORT_FD JAIL_REPORT_DESCRIPTOR
#define EXECUTABLE_FD 5
#define GATE_FD 6

#define CGROUP_TRIES 500u  // to remove a directory; every 20 ms
#define JAIL_MAX_RUNNING 8192u

struct plan {
  const struct jail_plan_header *header;
  const unsigned char *bytes;
  uint32_t offsets[JAIL_PLAN_MAX_OPERATIONS];
  bool listens;
};

// What one jail is made of. -1 where a descriptor was not given.
struct jail {
  struct plan plan;
  int report, alive, go, gate;
  bool wait;
  int channel, input, output, error, executable;
  int sources[JAIL_MAX_SOURCES];
  int root, ruleset;
  int cgroups[CGROUP_TREES];  // `tasks` of the v1 directories, and the v2 directory
  uint32_t slot;
};

// The paths below which a privileged launcher takes mount sources; given in argv, never by a plan.
struct mount_roots {
  const char *paths[16];
  size_t count;
};

// plan.c
const char *plan_check(struct plan *plan, const unsigned char *bytes, size_t length, const struct mount_roots *roots);
const char *plan_check_ids(const struct plan *plan);
bool plan_has(const struct plan *plan, uint16_t code, uint64_t first_number);
const struct jail_operation *plan_operation(const struct plan *plan, uint32_t index);
const char *operation_text(const struct jail_operation *operation);
const char *operation_second_text(const struct jail_operation *operation);

// report.c
int report_send(int fd, const struct jail_report *report);
void report_text(char *field, size_t size, const char *text);
int write_text(int directory, const char *file, const char *text);
int report_descriptor(int fd, uint32_t kind, int passed, int error);
int report_failure(int fd, uint32_t operation, const char *layer, int error, const char *detail);

void report_add(const struct jail_report *report);
void report_forget(void);
int report_flush(int fd);

// main.c
int write_maps(pid_t pid, const struct jail_plan_header *header);
int launch_jails(int argc, char **argv);
int keep_launcher(int argc, char **argv);  // keeper.c

// network.c
void network_prepare(void);
bool network_refill(void);
bool network_enter(void);
void network_leave(void);

// jail.c
void jail_run(struct jail *jail) __attribute__((noreturn));

// mounts.c: 0, or -1 with errno
int mount_private(void);
int mount_open_source(struct jail *jail, const struct jail_operation *operation);
int mount_root_tmpfs(struct jail *jail, const struct jail_operation *operation);
int mount_make_directory(struct jail *jail, const struct jail_operation *operation);
int mount_make_link(struct jail *jail, const struct jail_operation *operation);
int mount_bind(struct jail *jail, const struct jail_operation *operation);
int mount_place_sealed(const struct jail *jail, const struct jail_operation *operation);
int mount_tmpfs(struct jail *jail, const struct jail_operation *operation);
int mount_proc(struct jail *jail, const struct jail_operation *operation);
int mount_pivot(struct jail *jail);
int mount_read_only_root(void);

// confine.c: 0, or -1 with errno
int confine_set_ids(const struct jail *jail, const struct jail_operation *operation);
int confine_own_counts(void);
int confine_die_with_launcher(const struct jail *jail);
int confine_schedule_apart(void);
int confine_drop_capabilities(void);
int confine_limit(const struct jail_operation *operation);
int confine_speculation(const struct jail_operation *operation);
int confine_landlock(struct jail *jail, const struct jail_operation *operation);
int confine_landlock_allow(struct jail *jail, const struct jail_operation *operation);
int confine_landlock_enforce(struct jail *jail, const struct jail_operation *operation);
int confine_filter(const struct jail_operation *operation, int report);
int confine_descriptors(struct jail *jail);
int confine_reset_signals(void);
const char *confine_verify(const struct jail *jail);

// cgroup.c
bool cgroup_argument(const char *name, const char *path);
bool cgroup_start(void);
const char *cgroup_check(const struct plan *plan);
const char *cgroup_make(struct jail *jail);
void cgroup_launched(struct jail *jail, pid_t pid);
int cgroup_join(const struct jail *jail);
void cgroup_ended(pid_t pid);
bool cgroup_tidy(void);
void cgroup_end(void);

// listen.c: 0, or -1 with errno
int listen_for_host(const struct jail *jail, const struct jail_operation *operation);
int listen_landlock_port(const struct jail *jail, const struct jail_operation *operation);

// init.c
void init_main(struct jail *jail, const struct jail_operation *filter, uint32_t index, pid_t plugin, bool guarded)
    __attribute__((noreturn));
void init_prepare_signals(void);
