// What crosses between Sandbox (Swift, which compiles plans) and nexus-jail (C, which carries them out).
// Both sides include this file, so that they cannot disagree. Every integer is in the machine's byte order: a plan
// never leaves the machine. nexus-jail trusts none of it further than its own checks (plan.c).
#pragma once
#include <stdint.h>

#define JAIL_PLAN_MAGIC 0x504a584eu
#define JAIL_REQUEST_MAGIC 0x514a584eu
#define JAIL_REPORT_MAGIC 0x524a584eu
// Where the plugin's process has its report socket until exec.
#define JAIL_REPORT_DESCRIPTOR 4
#define JAIL_FORMAT_VERSION 4u

#define JAIL_PLAN_MAX_BYTES 262144u
#define JAIL_PLAN_MAX_OPERATIONS 512u
#define JAIL_MAX_SOURCES 64u
#define JAIL_MAX_STRINGS 512u
#define JAIL_MAX_FILTER_INSTRUCTIONS 4096u

// Outer user ids that a privileged launcher may give to jails; far from anything that a distribution assigns.
#define JAIL_OUTER_ID_FIRST 2000000000u
#define JAIL_OUTER_ID_COUNT 65536u

// A plan: this header, then `operation_count` operations back to back.
struct jail_plan_header {
  uint32_t magic, version;
  uint32_t length;
  uint32_t operation_count;
  uint32_t outer_uid, outer_gid, inner_uid, inner_gid;
};

// One operation: this header, then `data_length` bytes, then zeros up to a multiple of 8.
struct jail_operation {
  uint16_t code, flags;
  uint32_t data_length;
  uint64_t number[4];
};

// The operation may fail without stopping the start; its layer is then reported as unavailable.
#define JAIL_OPERATION_OPTIONAL 1u

enum jail_code {
  JAIL_LAYER = 1,               // data: name NUL detail NUL; the operations up to the next one belong to this layer
  JAIL_PRIVATE_MOUNTS = 2,      // no mount event crosses the jail's wall any more
  JAIL_OPEN_SOURCE = 3,         // [0] slot; data: path; opened before the user changes, in the jail's mount namespace
  JAIL_SET_IDS = 4,             // become the inner user; [0] 1: clear supplementary groups
  JAIL_DIE_WITH_LAUNCHER = 5,   // parent-death signal; after SET_IDS, which clears it
  JAIL_NO_USER_NAMESPACES = 6,  // user.max_user_namespaces = 0; needs a whole /proc, so before PIVOT
  JAIL_ROOT_TMPFS = 7,          // [0] bytes, [1] inodes
  JAIL_MAKE_DIRECTORY = 8,      // [0] mode; data: path
  JAIL_MAKE_LINK = 9,          // data: target NUL path NUL
  JAIL_BIND = 10,               // [0] slot, [1] MOUNT_ATTR_*; data: path, made if it is missing
  JAIL_MOUNT_TMPFS = 11,        // [0] bytes, [1] inodes, [2] mode, [3] MOUNT_ATTR_*; data: path
  JAIL_MOUNT_PROC = 12,         // data: path
  JAIL_CGROUP_NAMESPACE = 13,
  JAIL_SET_HOSTNAME = 14,       // data: name
  JAIL_PIVOT = 15,              // the tmpfs becomes the root, the old root is detached
  JAIL_READ_ONLY_ROOT = 16,
  JAIL_NO_NEW_PRIVILEGES = 17,
  JAIL_FRESH_KEYRING = 18,
  JAIL_LIMIT = 19,              // [0] RLIMIT_*, [1] value
  JAIL_DROP_CAPABILITIES = 20,
  JAIL_SPECULATION = 21,        // [0] PR_SPEC_*, force-disabled
  JAIL_LANDLOCK = 22,           // [0] file rights, [1] network rights, [2] scopes that are denied unless allowed
  JAIL_LANDLOCK_ALLOW = 23,     // [0] rights; data: path
  JAIL_LANDLOCK_ENFORCE = 24,   // [0] LANDLOCK_RESTRICT_SELF_*
  JAIL_HIDE_INIT = 25,          // not dumpable: /proc/1 stays closed and ptrace is refused
  JAIL_FORK = 26,               // data: BPF for init; what follows is done by the plugin's process
  JAIL_NEW_SESSION = 27,
  JAIL_RESET_SIGNALS = 28,
  JAIL_WORKING_DIRECTORY = 29,  // data: path
  JAIL_DESCRIPTORS = 30,        // 0, 1, 2, the channel on 3; nothing else survives exec
  JAIL_VERIFY = 31,             // ask the kernel whether what was applied holds
  JAIL_FILTER = 32,             // data: BPF for the plugin; [0] 1: it asks the host, who gets the listener
  JAIL_EXECUTE = 33,            // [0] candidate paths (0: the sealed executable), [1] arguments, [2] variables; data
                                // [3] 1: the filter lets exec through under init's eyes only: there is no second one
  JAIL_PLACE_SEALED = 34,       // data: path; the sealed memory's bytes as a file of the tmpfs root, for an interpreter
  JAIL_CGROUP = 35,             // enter the directories made for this jail; before CGROUP_NAMESPACE
  JAIL_NO_NEW_CODE = 36,        // what was writable never becomes executable: PR_SET_MDWE, kept across exec
  JAIL_NO_MEMFD_PROGRAMS = 37,  // vm.memfd_noexec = 2; needs root and a whole /proc, so before SET_IDS
  JAIL_SCHEDULE_APART = 38,     // no processor core is shared with others at the same time (PR_SCHED_CORE)
  JAIL_CGROUP_LIMIT = 39,       // [0] tree; data: file NUL value NUL. Written by the launcher before the jail is
                                // born; optional: the kernel may have no such file
  JAIL_LISTENER = 40,           // [0] port; lo comes up, and a socket that listens on 127.0.0.1 goes to the host
  JAIL_LANDLOCK_PORT = 41,      // [0] port, [1] rights
  JAIL_CODE_END = 42,
};

// Trees of cgroups: of v1 one for each resource, and that of v2.
enum cgroup_tree { CGROUP_MEMORY, CGROUP_PIDS, CGROUP_CPU, CGROUP_V2, CGROUP_TREES };

// A request to the launcher: this message with SCM_RIGHTS [plan, report, then one per bit set in `descriptors`].
struct jail_request {
  uint32_t magic, version, descriptors, flags;
};
#define JAIL_REQUEST_WAIT 1u  // hold the program back, confined, until JAIL_COMMAND_START
#define JAIL_DESCRIPTOR_CHANNEL 1u
#define JAIL_DESCRIPTOR_INPUT 2u
#define JAIL_DESCRIPTOR_OUTPUT 4u
#define JAIL_DESCRIPTOR_ERROR 8u
#define JAIL_DESCRIPTOR_EXECUTABLE 16u
#define JAIL_DESCRIPTOR_ALL 31u

enum jail_report_kind {
  JAIL_REPORT_HELLO = 1,        // launcher is up; value: its uid, error: its gid, status: format, operation: its pid
  JAIL_REPORT_LAUNCHED = 2,     // value: pid of init as the launcher sees it
  JAIL_REPORT_APPLIED = 3,
  JAIL_REPORT_UNAVAILABLE = 4,
  JAIL_REPORT_FAILED = 5,       // nothing runs
  JAIL_REPORT_READY = 6,        // the program was executed; init is confined
  JAIL_REPORT_EXITED = 7,       // value: exit code or signal; status: CLD_EXITED, CLD_KILLED or CLD_DUMPED
  JAIL_REPORT_ENDED = 8,        // init is gone; from the launcher. How often a limit of the whole jail was met:
                                // value: killed for memory, error: no more processes, status: throttled
  JAIL_REPORT_LISTENER = 9,     // with SCM_RIGHTS: the listener of the plugin's filter; error: why there is none
  JAIL_REPORT_WAITING = 10,     // confined, not executed: init waits for JAIL_COMMAND_START
  JAIL_REPORT_PROXY = 11,       // with SCM_RIGHTS: the socket that JAIL_LISTENER made
  JAIL_REPORT_LAUNCHER = 12,    // from the keeper, with SCM_RIGHTS: a socket to a new launcher, which greets there;
                                // error: how the one before ended (wait(2)), 0 for the first
};

#define JAIL_LAYER_BYTES 24
#define JAIL_DETAIL_BYTES 104

// Messages on a report socket are one or more of these.
struct jail_report {
  uint32_t magic, kind;
  uint32_t operation;
  int32_t error;
  int32_t value, status;
  char layer[JAIL_LAYER_BYTES];
  char detail[JAIL_DETAIL_BYTES];
};

// Commands from the host to init, one byte each.
#define JAIL_COMMAND_TERMINATE 0x54 // 'T': SIGTERM to the plugin
#define JAIL_COMMAND_START 0x47 // 'G': a waiting program is executed
#define JAIL_COMMAND_KILL 0x4b // 'K': everything dies
